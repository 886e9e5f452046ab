// The names at Route 53, against moto, through the real engine: adopted, lowered, led to new and back.
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Moto, startMoto } from "./moto.ts";
import { addresses, fresh, Move, nothing, old } from "./part/move.ts";
import { type NameServerDouble, type ServedRecord, startNameServer } from "./nameServer.ts";

describe("at Route 53", () => {
  const set = (
    Name: string,
    Type: "A" | "AAAA" | "CNAME",
    TTL: number,
    ...values: string[]
  ): ResourceRecordSet => ({
    Name,
    Type,
    TTL,
    ResourceRecords: values.map((Value) => ({ Value })),
  });
  const begin = [
    set("example.org", "A", 3600, old, "198.51.100.11"),
    set("example.org", "AAAA", 300, "2001:db8::10"),
    set("www.example.org", "CNAME", 600, "example.org"),
    set("*.example.org", "A", 30, old),
    set("shop.example.org", "A", 3600, old),
  ];
  let moto: Moto;
  let client: Route53Client;
  let zoneId: string;
  let dns: NameServerDouble;
  let move: Move;

  beforeAll(async () => {
    moto = await startMoto();
    client = new Route53Client({
      region: "us-east-1",
      endpoint: moto.url,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 1,
    });
    const { HostedZone } = await client.send(
      new CreateHostedZoneCommand({ Name: "example.org", CallerReference: "test" }),
    );
    zoneId = HostedZone!.Id!.replace("/hostedzone/", "");
    await change("CREATE", ...begin);
    dns = await startNameServer("example.org", served);
    move = await new Move({
      dns: {
        provider: "route53",
        zone: "example.org",
        api: moto.url,
        server: "127.0.0.1",
        port: dns.port,
        old: [...addresses.old, "198.51.100.11"],
        new: addresses.new,
      },
    }).open();
  });
  afterAll(async () => {
    await move?.close();
    await dns?.close();
    await moto?.stop();
  });

  async function change(Action: "CREATE" | "UPSERT" | "DELETE", ...sets: ResourceRecordSet[]) {
    await client.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: zoneId,
        ChangeBatch: { Changes: sets.map((ResourceRecordSet) => ({ Action, ResourceRecordSet })) },
      }),
    );
  }
  async function served(): Promise<ServedRecord[]> {
    const { ResourceRecordSets = [] } = await client.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }),
    );
    return ResourceRecordSets.flatMap(({ Name, Type, TTL = 0, ResourceRecords = [] }) =>
      Type === "A" || Type === "AAAA" || Type === "CNAME"
        ? ResourceRecords.map(({ Value }) => ({
            name: Name!.replace(/\.$/, "").replace("\\052", "*"),
            type: Type,
            ttl: TTL,
            data: Value!,
          }))
        : [],
    );
  }
  const zone = async () =>
    (await served()).map(({ name, type, ttl, data }) => `${name} ${type} ${ttl} ${data}`).toSorted();
  const lines = (sets: readonly ResourceRecordSet[], ttl?: number) =>
    sets
      .flatMap(({ Name, Type, TTL, ResourceRecords }) =>
        ResourceRecords!.map(({ Value }) => `${Name} ${Type} ${Math.min(TTL!, ttl ?? TTL!)} ${Value}`),
      )
      .toSorted();
  const led = [
    set("example.org", "A", 3600, fresh),
    set("example.org", "AAAA", 300, "2001:db8::20"),
    set("www.example.org", "CNAME", 600, "example.org"),
    set("*.example.org", "A", 30, fresh),
    set("shop.example.org", "A", 3600, fresh),
  ];

  test("prepared adopts the record sets and lowers their TTL, in one run", async () => {
    const { all } = await move.preview("idle");
    expect(all).toMatch(/= 5 to import/);
    await move.moveTo("prepared");
    expect(await zone()).toEqual(lines(begin, 60));
    expect((await move.up("prepared")).changes).toMatchObject(nothing);
  });

  test("names lead to new when the old TTL has run out", async () => {
    expect((await move.preview("dns")).all).toMatch(
      /the TTL of before the move has run out, but it has not yet/,
    );
    move.passTime("dns-ttl");
    await move.moveTo("dns");
    expect(await zone()).toEqual(lines(led, 60));
    expect((await move.up("dns")).changes).toMatchObject(nothing);
  });

  test("on the way back every record set is what it was", async () => {
    await move.moveTo("database");
    expect(await zone()).toEqual(lines(begin, 60));
    expect(move.journal().slice(-2)).toEqual(["do dns-lead", "undo dns-lead"]);
    await move.moveTo("idle");
    expect(await zone()).toEqual(lines(begin));
  });

  test("what somebody else has changed is left alone", async () => {
    await move.moveTo("prepared");
    await change("UPSERT", set("shop.example.org", "A", 60, "203.0.113.9"));
    const { all, exitCode } = await move.up("prepared");
    expect(exitCode).not.toBe(0);
    expect(all).toContain(
      "Route 53, shop.example.org A: leads to 198.51.100.10 or 198.51.100.20, as the move has left it",
    );
    await change("UPSERT", set("shop.example.org", "A", 60, old));
    await move.moveTo("idle");
  });

  test("an alias and one of several are refused by name", async () => {
    const alias: ResourceRecordSet = {
      Name: "alias.example.org",
      Type: "A",
      AliasTarget: { HostedZoneId: zoneId, DNSName: "lb.example.org", EvaluateTargetHealth: false },
    };
    const weighted = { ...set("several.example.org", "A", 30, old), SetIdentifier: "blue", Weight: 1 };
    await change("CREATE", alias, weighted);
    const { all, exitCode } = await move.preview("prepared", { names: [alias.Name, weighted.Name] });
    expect(exitCode).not.toBe(0);
    const plain = "is a plain record set, which changeover can lead elsewhere and back, but it is";
    expect(all).toContain(`Route 53, alias.example.org A: ${plain} an alias of lb.example.org`);
    expect(all).toContain(
      `Route 53, several.example.org A: ${plain} one of several (weighted, by latency or the like), named blue`,
    );
    expect(all).not.toContain("it has no A, AAAA or CNAME record of it");
  });

  test("a zone that cannot be read is told with the rights that are needed", async () => {
    const { all, exitCode } = await move.preview("prepared", {
      zone: "other.example",
      names: "other.example",
    });
    expect(exitCode).not.toBe(0);
    expect(all).toContain("zone other.example can be read at Route 53");
    expect(all).toContain("they need route53:ListHostedZones");
  });

  test("a key of the settings is a secret in the state; the environment's is not there", async () => {
    const secret = "canary/of/the/access/key/of/the/settings";
    const accessKey = { id: "AKIACANARYCANARY", secret: await move.stack.seal(secret) };
    expect((await move.up("prepared", { accessKey })).exitCode).toBe(0);
    const { text } = await move.stack.exportState();
    expect(text).toContain("aws:route53/record:Record");
    expect(text).not.toContain(secret);
    expect(text).not.toContain("canary of the environment");
    await move.moveTo("idle");
  });
});
