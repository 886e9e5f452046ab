/** Guards of the servers as machines: programs, processor, clocks, other moves. */
import { lines } from "../facts/inspect.ts";
import { quote } from "../script.ts";
import { sides } from "../server.ts";
import type { Finding, Look } from "./guards.ts";
import { planned } from "./packages.ts";

/**
 * Programs of servers that have to run on new before the move, for preview looks at them there: the packages of
 * changeover:site.packages come too late, and start no service.
 */
const mustRun = ["nginx", "psql"];

/** The programs that the steps use are there, on both servers. */
export function tools(look: Look): Finding[] {
  return sides.flatMap((side) => {
    const plan = side === "new" ? planned(look[side]) : [];
    const missing = lines(look[side], "missing.tools").filter(
      (tool) => mustRun.includes(tool) || !plan.includes(packageOf(tool)),
    );
    return missing.length === 0
      ? []
      : [
          {
            place: side,
            rule: "has the programs that the site and the move use",
            value: `missing are: ${missing.join(", ")}`,
            remedy: `install them on ${side} (on Debian: apt-get install ${missing.map(packageOf).join(" ")})`,
          },
        ];
  });
}

/** The Debian package of a program. */
function packageOf(tool: string): string {
  const packages: Record<string, string> = {
    psql: "postgresql-client",
    ssh: "openssh-client",
    "ssh-keygen": "openssh-client",
    flock: "util-linux",
    runuser: "util-linux",
    "systemd-run": "systemd",
    systemctl: "systemd",
    timeout: "coreutils",
    base64: "coreutils",
    find: "findutils",
    awk: "mawk",
  };
  return packages[tool] ?? tool;
}

/** The site's programs were built for old's processor. */
export function machine({ old, new: fresh }: Look): Finding[] {
  return fresh.get("machine") === old.get("machine")
    ? []
    : [
        {
          place: "new",
          rule: `is a machine like old (${old.get("machine")})`,
          value: `it is ${fresh.get("machine")}`,
          remedy: "see that the site's programs exist for it",
          warning: true,
        },
      ];
}

/** A server is in one move at a time. */
export function otherMoves(look: Look): Finding[] {
  const { move } = look.settings;
  return sides.flatMap((side) => {
    const done = lines(look[side], "done").map((line) => line.split("/") as [string, string]);
    const finished = new Set(done.filter(([, step]) => step.startsWith("finish-")).map(([name]) => name));
    const others = new Set(done.map(([name]) => name).filter((name) => name !== move && !finished.has(name)));
    return [...others].map((other) => ({
      place: side,
      rule: "is in one move at a time",
      value: `move ${other} is under way on it`,
      remedy: `finish that move or take it back to idle first; if it is this very move: pulumi config set changeover:move ${quote(other)}`,
    }));
  });
}

/** What is timed on both servers needs the same time. */
export function clocks({ old, new: fresh }: Look): Finding[] {
  const apart = Math.abs(Number(old.get("clock")) - Number(fresh.get("clock")));
  return apart < 10
    ? []
    : [
        {
          place: "old, new",
          rule: "have the same time",
          value: `their clocks are ${Math.round(apart)} seconds apart`,
          remedy: "set both by NTP: timedatectl set-ntp true",
          warning: true,
        },
      ];
}
