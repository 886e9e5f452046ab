/** Which addresses are probed: each server's, an Elastic IP, and each that a name server answers with. */
import type { Target } from "../../components/probe/probe.ts";
import type { ForkConfig, MoveConfig } from "../../stacks/config.ts";
import { type Answer, sideAddresses } from "../names.ts";

/** One name at one address, and who leads there. */
export interface Aim {
  target: Target;
  via: string[];
}

/** What is asked for at each address. */
export type Page = Pick<Target, "port" | "path" | "marker" | "status" | "maintenance" | "ca">;

/** An address, and who is there: `old`, `new`, `Elastic IP`. */
export interface Place {
  address: string;
  via: string;
}

/** Where a move's servers are. */
export function movePlaces(settings: Pick<MoveConfig, "site" | "old" | "new" | "dns">): Place[] {
  return (["old", "new"] as const).flatMap((via) =>
    sideAddresses(settings, via).map((address) => ({ address, via })),
  );
}

/** Where a fork's users come to, and its machines are. */
export function forkPlaces({ aws, old }: Pick<ForkConfig, "aws" | "old">, copy: string | undefined): Place[] {
  return [
    { address: aws.elasticIp, via: "Elastic IP" },
    { address: old.address, via: "old" },
    ...(copy === undefined ? [] : [{ address: copy, via: "new" }]),
  ];
}

/** Everything to be probed; an address to which several lead comes once for each name. Pure. */
export function aims(
  names: readonly string[],
  places: readonly Place[],
  answers: readonly Answer[],
  page: Page,
): Aim[] {
  const leads = names.flatMap((name) => [
    ...places.map((place) => ({ name, ...place })),
    ...answers
      .filter((answer) => answer.type !== "CNAME" && answer.name === name)
      .flatMap(({ server, data }) => data.map((address) => ({ name, address, via: `dns ${server}` }))),
  ]);
  const found = new Map<string, Aim>();
  for (const { name, address, via } of leads) {
    const key = `${name} ${address}`;
    const aim = found.get(key) ?? { target: { ...page, name, address }, via: [] };
    if (!aim.via.includes(via)) aim.via.push(via);
    found.set(key, aim);
  }
  return [...found.values()];
}
