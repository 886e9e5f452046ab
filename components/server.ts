/** The two servers, and how they are reached: always with a pinned host key. */
import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/command";

/** Which of the two servers. */
export type Side = "old" | "new";

/** Both servers. */
export const sides = ["old", "new"] as const;

/** One server. Address and key are outputs where the server is made in the same run. */
export interface Server<Text = string> {
  /** Host name or IP address. */
  address: Text;
  /** `root`, or a user with passwordless sudo. */
  user: string;
  port: number;
  /** The server's public host key, `ssh-ed25519 AAAA...`. */
  hostKey: Text;
}

/** What opens the servers: one key for both and for the bastion. */
export interface Access<Text = string> {
  old: Server<Text>;
  new: Server<Text>;
  bastion?: Server | undefined;
  /** Private key in OpenSSH or PEM form; without one, the agent at SSH_AUTH_SOCK is asked. */
  privateKey?: string | undefined;
  privateKeyPassphrase?: string | undefined;
}

/** The connection of a step: strict, with pinned keys; the private key is a secret in the state. */
export function connectionTo(
  side: Side,
  access: Access<pulumi.Input<string>>,
): types.input.remote.ConnectionArgs {
  const { bastion } = access;
  return {
    ...endpoint(access[side], access),
    dialErrorLimit: 5,
    perDialTimeout: 15,
    ...(bastion ? { proxy: { ...endpoint(bastion, access), dialErrorLimit: 5, perDialTimeout: 15 } } : {}),
  };
}

/** What is the same for a server and for a bastion. */
function endpoint(server: Server<pulumi.Input<string>>, access: Access<pulumi.Input<string>>) {
  const { address, port, user, hostKey } = server;
  return { host: address, port, user, hostKey, ...credentials(access) };
}

/** The key; without one the provider asks the agent at SSH_AUTH_SOCK, whose path must not get into the state: it changes daily. */
function credentials({
  privateKey,
  privateKeyPassphrase,
}: Pick<Access, "privateKey" | "privateKeyPassphrase">) {
  if (privateKey === undefined) return {};
  return {
    privateKey: pulumi.secret(privateKey),
    ...(privateKeyPassphrase === undefined
      ? {}
      : { privateKeyPassword: pulumi.secret(privateKeyPassphrase) }),
  };
}
