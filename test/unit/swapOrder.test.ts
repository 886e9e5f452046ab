import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, it } from "vitest";
import { leadElasticIp, type SwapOrder } from "../../components/elasticIp/elasticIp.ts";
import type { Access } from "../../components/server.ts";

const placed = new Map<string, Record<string, unknown>>();

beforeAll(() =>
  pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      placed.set(name, inputs as Record<string, unknown>);
      return { id: name, state: inputs as Record<string, unknown> };
    },
    call: ({ inputs }) => inputs as Record<string, unknown>,
  }),
);

/** What the swap is told by stdin. */
async function orderOf(hold: Parameters<typeof leadElasticIp>[2]): Promise<SwapOrder> {
  const step = leadElasticIp(
    {
      site: {
        names: ["shop.example.org"],
        checks: [{ path: "/health", marker: "ok", status: 200 }],
      },
      stepDeadline: 60,
      phase: "address",
    },
    {
      region: "eu-central-1",
      elasticIp: "203.0.113.7",
      old: "i-old",
      new: () => pulumi.output("i-copy"),
      deadline: 30,
    },
    hold,
  );
  const [swap] = step.ahead!([]);
  await new Promise((resolve) => swap!.urn.apply(resolve));
  const stdin = placed.get("elastic-ip-swap")!["stdin"] as { value: string };
  return JSON.parse(stdin.value) as SwapOrder;
}

it("tells the swap of a machine that is made in the same run, and how its users are held", async () => {
  const server = { user: "root", port: 22 };
  const access: Access<pulumi.Input<string>> = {
    old: { ...server, address: "10.0.0.1", hostKey: "ssh-ed25519 AAAAold" },
    new: { ...server, address: pulumi.output("10.0.0.2"), hostKey: pulumi.output("ssh-ed25519 AAAAcopy") },
  };
  expect(await orderOf({ hold: { access: () => access, drainSeconds: 5 } })).toMatchObject({
    from: "i-old",
    to: "i-copy",
    hold: {
      ports: [443, 80],
      drainSeconds: 5,
      access: {
        old: { address: "10.0.0.1" },
        new: { address: "10.0.0.2", hostKey: "ssh-ed25519 AAAAcopy" },
      },
    },
  });
  expect(await orderOf({})).not.toHaveProperty("hold");
});
