/** Guards: the way to the servers. */
import { describe, expect, it } from "vitest";
import { Unreachable } from "../../../components/facts/inspect.ts";
import { findings } from "../../../components/guards/guards.ts";
import { expectOne, look, settings, stops } from "./look.ts";

describe("the way to the servers", () => {
  stops([
    ["steps not as root", { user: "1000" }, {}, ["old", "user number 1000", "give root passwordless sudo"]],
    [
      "no fact of the user",
      {},
      { user: undefined },
      ["new", "user number undefined", "give deploy passwordless sudo"],
    ],
  ]);
});

describe("a server that gives no facts", () => {
  it.each([
    ["Host key verification failed.", "pulumi config set --path 'changeover:old.hostKey'"],
    [
      "No ED25519 host key is known for old and you have requested strict checking.",
      "'changeover:old.hostKey'",
    ],
    ["root@198.51.100.10: Permission denied (publickey).", "~root/.ssh/authorized_keys on old"],
    ["Load key: incorrect passphrase supplied", "privateKeyPassphrase"],
    ["sudo: a password is required", "docs/sudoers"],
    ["root is not in the sudoers file.", "docs/sudoers"],
    ["ssh: Could not resolve hostname old", "'changeover:old.address' ADDRESS"],
    [
      "ssh: connect to host 198.51.100.10 port 22: Connection refused",
      "see that sshd answers there: ssh -p 22 root@198.51.100.10 true",
    ],
    ["no answer within 40 seconds", "see that sshd answers there"],
    ["something new", "try: ssh -p 22 root@198.51.100.10 true"],
  ])("and says %s", (reason, remedy) => {
    expectOne(
      findings(settings, { ...look(), old: new Unreachable(reason) }),
      ["old (198.51.100.10)", `ssh says: ${reason}`, remedy],
      false,
    );
  });

  it("is told with the other, without guesses about the rest", () => {
    const all = findings(settings, { old: new Unreachable("a"), new: new Unreachable("b") });
    expect(all.map(({ place }) => place)).toEqual(["old (198.51.100.10)", "new (198.51.100.20)"]);
  });

  it("is the bastion's fault once, for both", () => {
    const bastion = { address: "bastion", user: "me", port: 22, hostKey: "" };
    const none = new Unreachable("Host key verification failed.", "bastion");
    expectOne(
      findings({ ...settings, bastion }, { old: none, new: none }),
      ["bastion (bastion)", "verification failed", "'changeover:bastion.hostKey'"],
      false,
    );
  });
});
