/** Whether an Elastic IP leads where the move has left it, and may go where this run leads it. Pure. */
import type { Finding } from "../guards/guards.ts";
import type { Machine } from "./address.ts";

/** What EC2 tells of the address. */
export interface ElasticIpLook {
  /** The side to which the address leads; none where it leads to neither. */
  side: "old" | "new" | undefined;
  /** What it leads to, as people read it. */
  leads: string;
}

/** What the move has done so far, and what this run is about to do. */
export interface ElasticIpState {
  elasticIp: string;
  /** The instances' ids. */
  old: string;
  new: string;
  /** The move has led the address to new, and has noted it. */
  led: boolean;
  /** In this run the address leads to new in the end. */
  leads: boolean;
  /** The phase that leads it there, and the one before. */
  phase: string;
  before: string;
}

/** Checks where the address leads. */
export function checkElasticIp({ side, leads }: ElasticIpLook, state: ElasticIpState): Finding[] {
  const place = `Elastic IP ${state.elasticIp}`;
  const to = state.led ? "new" : "old";
  if (side === to) return [];
  if (side === undefined)
    return [
      {
        place,
        rule: `leads to old (${state.old}) or new (${state.new})`,
        value: `it leads to ${leads}`,
        remedy: `see who has moved it; lead it to ${state[to]} (aws ec2 associate-address --allow-reassociation), or correct changeover:aws`,
      },
    ];
  // A run that was cut off: the next one takes it over, or finds it back already.
  if (state.led !== state.leads) return [];
  if (state.led)
    return [
      {
        place,
        rule: `leads to new (${state.new}), where this move has led it`,
        value: "somebody has led it to old again",
        remedy: `run 'pulumi up' with phase '${state.before}', and then with '${state.phase}' again`,
      },
    ];
  return [
    {
      place,
      rule: `leads to old (${state.old}) before phase '${state.phase}'`,
      value: "it leads to new: a run that led it there was cut off before that was noted",
      remedy: `run 'pulumi up' with phase '${state.phase}', and go back from there`,
    },
  ];
}

/**
 * Checks that an instance is there, runs, and is the server of the settings.
 * @param address the server's address in the settings.
 * @param isNeeded this run does something with it; otherwise no machine that is out of order stops it, the way back least of all.
 */
export function checkMachine(
  side: "old" | "new",
  id: string,
  address: string,
  found: Machine | undefined,
  isNeeded: boolean,
): Finding[] {
  const place = `instance ${id} (${side})`;
  const setting = `changeover:aws.${side}`;
  if (!found)
    return [
      {
        place,
        rule: "is there",
        value: "the account has no such instance in this region",
        remedy: `correct ${setting} or changeover:aws.region`,
        warning: !isNeeded,
      },
    ];
  if (found.state !== "running")
    return [
      {
        place,
        rule: "runs",
        value: `it is ${found.state}`,
        remedy: `start it, or correct ${setting}`,
        warning: !isNeeded,
      },
    ];
  if (!/^[\d.]+$|:/.test(address) || found.addresses.includes(address)) return [];
  return [
    {
      place,
      rule: `has the address of changeover:${side} (${address})`,
      value: `it has ${found.addresses.join(", ") || "none"}`,
      remedy: `see that ${setting} is the instance that is ${side}; it may be reached by an address that EC2 does not know`,
      warning: true,
    },
  ];
}
