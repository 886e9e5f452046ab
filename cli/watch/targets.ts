/** Which addresses are probed: each server's, and each that a name server answers with. */
import type { Target } from "../../components/probe/probe.ts";
import type { MoveConfig } from "../../stacks/config.ts";
import { type NameAnswer, sideAddresses } from "../names.ts";

/** One name at one address, and who leads there. */
export interface Aim {
  target: Target;
  via: string[];
}

/** What is asked for at each address. */
export type Page = Pick<Target, "port" | "path" | "marker" | "status" | "maintenance" | "ca">;

/** Everything to be probed; an address to which several lead comes once for each name. Pure. */
export function aims(
  settings: Pick<MoveConfig, "site" | "old" | "new" | "dns">,
  answers: readonly NameAnswer[],
  page: Page,
): Aim[] {
  const leads = settings.site.names.flatMap((name) => [
    ...(["old", "new"] as const).flatMap((side) =>
      sideAddresses(settings, side).map((address) => ({ name, address, via: side })),
    ),
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
