/** Rules for the packages that new needs. */
import { type Facts, lines } from "../facts/inspect.ts";
import { neededPackages } from "../site.ts";
import type { Finding, Guard, Look } from "./guards.ts";

/** The packages that are not on new yet and would come, dependencies included. */
export function planned(fresh: Facts): string[] {
  return lines(fresh, "packages.plan").flatMap((line) => /^Inst (\S+) \(/.exec(line)?.[1] ?? []);
}

/** A package is on new, or apt knows it. */
function known({ settings, new: fresh, done }: Look): Finding[] {
  return neededPackages(settings).flatMap((name): Finding[] => {
    const state = fresh.get(`package.${name}`);
    if (state === "installed") return [];
    if (done("packages"))
      return [
        {
          place: `new, package ${name}`,
          rule: "is installed",
          value: "it is not, and the step packages is done",
          remedy: `on new: apt-get install ${name}; or go back to idle and forward again`,
          warning: true,
        },
      ];
    return state === "known"
      ? []
      : [
          {
            place: `new, package ${name}`,
            rule: "is installed, or known to apt",
            value: "apt knows no package of that name that can be installed",
            remedy:
              "on new: apt-get update (and see that its source is in /etc/apt); or correct the name in changeover:site.packages",
          },
        ];
  });
}

/** dpkg is in order, so that apt-get can work. */
function dpkgInOrder({ new: fresh, begun }: Look): Finding[] {
  const broken = lines(fresh, "packages.broken").flatMap((line) => /^ (\S+)/.exec(line)?.[1] ?? []);
  // What the step left half-way is mended by its next run.
  return begun("packages") || !fresh.get("packages.broken")
    ? []
    : [
        {
          place: "new, dpkg",
          rule: "has no package half-way",
          value: `dpkg --audit names ${broken.join(", ") || "something"}`,
          remedy: "on new: dpkg --configure -a, then apt-get --fix-broken install, then see dpkg --audit",
        },
      ];
}

/** What is on new already neither changes nor goes: no way back could bring that back. */
function nothingElseChanges({ settings, new: fresh, begun }: Look): Finding[] {
  if (begun("packages")) return [];
  return lines(fresh, "packages.plan").flatMap((line): Finding[] => {
    const [, verb, name] = /^(Inst|Remv) (\S+) \[/.exec(line) ?? [];
    if (line.startsWith("E:"))
      return [
        {
          place: "new, apt",
          rule: `can install ${neededPackages(settings).join(", ")}`,
          value: `apt-get says: ${line.slice("E:".length).trim()}`,
          remedy:
            "try it on new, it changes nothing: apt-get --simulate --no-install-recommends install NAME",
        },
      ];
    return name === undefined
      ? []
      : [
          {
            place: `new, package ${name}`,
            rule: "stays as it is when the packages of changeover:site.packages come",
            value: `it would be ${verb === "Remv" ? "removed" : "upgraded"}`,
            remedy: `no way back could undo that; do it yourself first, on new: apt-get ${verb === "Remv" ? "remove" : "install"} ${name}`,
          },
        ];
  });
}

export const packagesGuards: readonly Guard[] = [known, dpkgInOrder, nothingElseChanges];
