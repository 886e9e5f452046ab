/** Guards of the way to the servers: ssh and the rights there. */
import { type Server, type Side, sides } from "../server.ts";
import type { Finding, Look } from "./guards.ts";

/** Why a server could not be looked at, with the remedy for each known reason. */
export function unreachableFinding(
  settings: { [side in Side | "bastion"]?: Server | undefined },
  side: Side | "bastion",
  reason: string,
): Finding {
  const { address, user, port } = settings[side]!;
  const known: [RegExp, string][] = [
    [
      /host key verification failed|host key.*changed|identification has changed/i,
      `compare the key with the server's own (on its console: cat /etc/ssh/ssh_host_ed25519_key.pub); if it is right: pulumi config set --path 'changeover:${side}.hostKey' "ssh-ed25519 ..."`,
    ],
    [
      /no .*host key is known/i,
      `the pinned key is not one that the server has: pulumi config set --path 'changeover:${side}.hostKey' "ssh-ed25519 ..."`,
    ],
    [
      /permission denied/i,
      `the key should be in ~${user}/.ssh/authorized_keys on ${side}: set changeover:privateKeyFile or changeover:privateKey, or load it into the agent`,
    ],
    [/passphrase|load key/i, "set changeover:privateKeyPassphrase as a secret, or use the agent"],
    [
      /password is required|not in the sudoers|not allowed to|sudo/i,
      `${user} needs passwordless sudo on ${side}; the lines for it are in docs/sudoers`,
    ],
    [
      /could not resolve|name or service/i,
      `set the server's address: pulumi config set --path 'changeover:${side}.address' ADDRESS`,
    ],
    [
      /refused|timed out|no route|unreachable|no answer|closed|reset|banner/i,
      `see that sshd answers there: ssh -p ${port} ${user}@${address} true`,
    ],
  ];
  return {
    place: `${side} (${address})`,
    rule: `is reached by ssh as ${user} on port ${port}`,
    value: `ssh says: ${reason}`,
    remedy:
      known.find(([pattern]) => pattern.test(reason))?.[1] ?? `try: ssh -p ${port} ${user}@${address} true`,
  };
}

/** Steps run as root, on both servers. */
export function runsAsRoot({ settings, ...servers }: Look): Finding[] {
  return sides
    .filter((side) => servers[side].get("user") !== "0")
    .map((side) => ({
      place: side,
      rule: "steps run as root",
      value: `user number ${servers[side].get("user")}`,
      remedy: `give ${settings[side].user} passwordless sudo`,
    }));
}
