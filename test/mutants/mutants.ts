/**
 * Breaks of the product, as a careless change would make them: none is found by the compiler or the linters, each by a test. `make mutants`
 * makes them one at a time.
 */

/** The project of vitest that a test belongs to: `make test` runs unit and lab, `make soak` runs soak. */
export type Project = "unit" | "lab" | "soak";

/** A test that should find a break. */
export interface Finder {
  project: Project;
  file: string;
  /** A pattern of titles (vitest's `-t`): those tests alone are run. */
  only?: string;
  /** A part of the title of the test that fails; those ahead of it in the file are run and pass. */
  title: string;
}

/** One break. */
export interface Mutant {
  name: string;
  /** The part of the product that it breaks. */
  component: string;
  /** What is wrong then, in a sentence. */
  breaks: string;
  file: string;
  /** The text in the file, there once. */
  find: string;
  replace: string;
  /** Tests that should find it, the cheapest first. */
  tests: readonly Finder[];
}

const unit = (file: string, title: string): Finder => ({
  project: "unit",
  file: `test/unit/${file}.test.ts`,
  title,
});

/** What only real servers show. */
const onServers = (title: string): Finder => ({
  project: "lab",
  file: "test/lab/stepsAfter.test.ts",
  title,
});

export const mutants: readonly Mutant[] = [
  {
    name: "gate-removes-anywhere",
    component: "access gate",
    breaks: "New may remove files outside of the users' folders on old, by a name with `..`.",
    file: "components/access/gate.sh",
    find: "[[ $name == ./* && /$name/ != */../* ]] ||",
    replace: "[[ $name == ./* ]] ||",
    tests: [unit("gate", "is refused")],
  },
  {
    name: "account-not-noted",
    component: "accounts",
    breaks: "A user that the move makes on new is not noted, so the way back leaves it there.",
    file: "components/accounts/copy/do.sh",
    find: `  printf 'user %s\\n' "$name" >>"$STATE/made"\n`,
    replace: "",
    tests: [onServers("accounts are made whole")],
  },
  {
    name: "expired-certificate",
    component: "certificates",
    breaks: "A certificate that has ended counts as good.",
    file: "components/certificates/served.sh",
    find: "((until <= $(date +%s)))",
    replace: "((until <= 0))",
    tests: [unit("certificates", "it ended on")],
  },
  {
    name: "marker-as-pattern",
    component: "compare",
    breaks: "The marker of a compared page is taken for a pattern, so that a page without it passes.",
    file: "components/compare/page.sh",
    find: `[[ $answer == *"$2"* ]] ||`,
    replace: "[[ $answer == *$2* ]] ||",
    tests: [unit("page", "has the marker, as it stands")],
  },
  {
    name: "day-and-weekday",
    component: "cron",
    breaks: "A job with a day and a weekday is due only where both fit, so that it is missed at the switch.",
    file: "components/cron/due.awk",
    find: "(field[3] ~ /^\\*/ || field[5] ~ /^\\*/) ? day && weekday : day || weekday",
    replace: "day && weekday",
    tests: [unit("cron", "a line of a crontab")],
  },
  {
    name: "role-not-fenced",
    component: "database fence",
    breaks: "The fence misses the first of the site's roles, which goes on writing on old.",
    file: "components/database/fence.sh",
    find: `ROLE_LIST=$(for role in "\${ROLES[@]}"; do`,
    replace: `ROLE_LIST=$(for role in "\${ROLES[@]:1}"; do`,
    tests: [onServers("lets every role of the site in on new, and none on old")],
  },
  {
    name: "sequences-stay",
    component: "database sequences",
    breaks: "Sequences are not carried over by the switch: numbers are drawn twice.",
    file: "components/database/switchover.sh",
    find: `  ask "$2" "$ANSWER"\n`,
    replace: `  ask "$1" "$ANSWER"\n`,
    tests: [onServers("has every sequence on new where it was on old")],
  },
  {
    name: "identities-stay",
    component: "database publication",
    breaks:
      "The way back looks for the tables' replica identities in a file that is not there, and leaves them.",
    file: "components/database/publication/undo.sh",
    find: `unpublish "$STATE/identities"`,
    replace: `unpublish "$STATE/identity"`,
    tests: [onServers("leaves old as it was")],
  },
  {
    name: "old-follows-not",
    component: "database switchover",
    breaks:
      "Old does not follow new after the switch, so that the way back would lose what is written there.",
    file: "components/database/switchover.sh",
    find: `  ask "$from" "alter subscription \${LINK[$from]} enable;"\n`,
    replace: "",
    tests: [onServers("brings to old what is written on new")],
  },
  {
    name: "lost-rows-unasked",
    component: "database switch",
    breaks: "The way back of a dump loses rows that nobody has agreed to lose.",
    file: "components/database/switch/undo.sh",
    find: "((rows <= $(consented))) ||",
    replace: "(($(consented) <= rows)) ||",
    tests: [unit("lostWrites", "nobody has agreed")],
  },
  {
    name: "counts-of-one-side",
    component: "database dump",
    breaks: "The copy's rows are compared with themselves, so that a table that lost rows passes.",
    file: "components/database/copy.sh",
    find: `diff <(sort "$STATE/counts.old") <(sort "$STATE/counts.new")`,
    replace: `diff <(sort "$STATE/counts.new") <(sort "$STATE/counts.new")`,
    tests: [unit("copyCounts", "a row that new lacks")],
  },
  {
    name: "second-reason-unwritten",
    component: "decision",
    breaks: "A second reason has the first one's step, so that it is never written into the journal.",
    file: "components/decision/decision.ts",
    find: ".update(reason)",
    replace: ".update(decision)",
    tests: [unit("decision", "is a step of its own")],
  },
  {
    name: "push-passes",
    component: "deploys",
    breaks: "A push during the move is told that deploys are closed, and is taken all the same.",
    file: "components/deploys/lock.sh",
    find: "printf 'MESSAGE\\nexit 1\\n'",
    replace: "printf 'MESSAGE\\n'",
    tests: [onServers("refuses every push")],
  },
  {
    name: "ttl-stays-low",
    component: "dns",
    breaks: "The TTL of the site's names is not put back when the move is finished.",
    file: "components/dns/records.ts",
    find: "const lower = stage.lowered && ",
    replace: "const lower = (stage.lowered || stage.leads) && ",
    tests: [unit("dnsRecords", "a record")],
  },
  {
    name: "address-stays-on-new",
    component: "elasticIp",
    breaks: "The Elastic IP stays on new where the site does not answer through it.",
    file: "components/elasticIp/swap.ts",
    find: "      await lead(client, place.allocation, before);\n      throw",
    replace: "      throw",
    tests: [
      {
        project: "unit",
        file: "test/engine/elasticIp.test.ts",
        only: "comes back by itself",
        title: "comes back by itself when the site does not answer",
      },
    ],
  },
  {
    name: "catch-up-keeps",
    component: "files",
    breaks:
      "The catch-up is without --delete: code that has gone from old since the first copy stays on new.",
    file: "components/files/catchUp/do.sh",
    find: `pull_path "$index" --delete "\${keep[@]}"`,
    replace: `pull_path "$index" "\${keep[@]}"`,
    tests: [onServers("has no file on new that has gone from old")],
  },
  {
    name: "key-outlives-move",
    component: "finish",
    breaks: "New's key still opens the gate on old after the move is finished.",
    file: "components/finish/old/do.sh",
    find: "  remove_key\n",
    replace: "",
    tests: [onServers("leaves new no way to old")],
  },
  {
    name: "hole-for-everybody",
    component: "firewall",
    breaks: "The hole in the firewall is for everybody, not for the other server alone.",
    file: "components/firewall/open/do.sh",
    find: `"$(address_family "$ip")" saddr "$ip" tcp dport`,
    replace: "tcp dport",
    tests: [onServers("opens the firewall for the other server alone")],
  },
  {
    name: "copy-marked-last",
    component: "fork",
    breaks: "A copy whose first boot fails half-way is not marked as one, and its jobs run beside old's.",
    file: "components/fork/guard/guard.sh",
    find: `  : >"$STATE/copy"\n  own_machine_id\n  own_host_keys\n  own_name\n  own_cloud_init\n`,
    replace: `  own_machine_id\n  own_host_keys\n  own_name\n  own_cloud_init\n  : >"$STATE/copy"\n`,
    tests: [unit("fork/guard", "keeps jobs off on a copy even where the rest fails")],
  },
  {
    name: "room-guessed",
    component: "guards",
    breaks:
      "The guard of room for the files takes its tenth from the wrong side, and lets a disk pass that will be full.",
    file: "components/guards/files.ts",
    find: ".filter(({ free, bytes }) => free < bytes * 1.1)",
    replace: ".filter(({ free, bytes }) => free * 1.1 < bytes)",
    tests: [unit("guards/files", "stops the move for room that is a tenth short")],
  },
  {
    name: "jobs-not-recorded",
    component: "jobs",
    breaks: "What jobs were on old is not recorded, so that the way back does not start them again.",
    file: "components/jobs/stop/do.sh",
    find: `    save_units "$unit"\n`,
    replace: "",
    tests: [onServers("leaves old as it was")],
  },
  {
    name: "jobs-come-back-unseen",
    component: "jobs",
    breaks: "The verify of stopped jobs passes where a reboot would start them again, beside new's.",
    file: "components/web/processes.sh",
    find: `      [[ $(systemctl is-enabled -- "$unit" || true) != enabled ]] || die "$unit: should be disabled on $SIDE"\n`,
    replace: "",
    tests: [onServers("is not what was done where somebody has started the jobs on old again")],
  },
  {
    name: "page-without-retry",
    component: "maintenance",
    breaks:
      "nginx leaves Retry-After out of the maintenance page, for it adds headers to a 503 only by `always`.",
    file: "components/maintenance/page.sh",
    find: "add_header Retry-After $RETRY_AFTER always;",
    replace: "add_header Retry-After $RETRY_AFTER;",
    tests: [onServers("has a maintenance page that tells programs when to come again")],
  },
  {
    name: "monit-told-late",
    component: "monit",
    breaks: "monit on old may be told after jobs have stopped, and starts them again.",
    file: "stacks/serverMove.ts",
    find: `const told = ["compare", ...(monit ? ["monit-stop"] : [])];`,
    replace: `const told = ["compare"];`,
    tests: [unit("order", "monit-stop comes before jobs-stop")],
  },
  {
    name: "notice-twice",
    component: "notices",
    breaks: "Each notice after the first is sent twice: it edits the message, and posts one more.",
    file: "components/notices/channels.ts",
    find: `    await call("chat.update", { ...posted, ...whole });\n    return posted;\n`,
    replace: `    await call("chat.update", { ...posted, ...whole });\n`,
    tests: [unit("notices", "is posted by a bot once")],
  },
  {
    name: "include-stays",
    component: "proxy",
    breaks: "The way back forgets the move's own folder in nginx on new.",
    file: "components/proxy/site/undo.sh",
    find: `  rm -rf -- "$(include_dir)"\n`,
    replace: "",
    tests: [onServers("leaves new as it was")],
  },
  {
    name: "stragglers-unseen",
    component: "stragglers",
    breaks: "Who still comes to old is not counted, but who came before the quiet time.",
    file: "components/stragglers/guard.ts",
    find: "counts(source!) && Number(last) >= since",
    replace: "counts(source!) && Number(last) <= since",
    tests: [unit("stragglers", "the last phase")],
  },
  {
    name: "original-overwritten",
    component: "step library",
    breaks: "A step that runs again saves what it has changed itself as the original.",
    file: "components/shell/lib.sh",
    find: "  [[ -e $kept.path ]] && return\n",
    replace: "",
    tests: [unit("library", "is what it was after the undo, however often the step ran")],
  },
  {
    name: "undo-takes-no-lock",
    component: "step library",
    breaks: "An undo does not wait for a step of the move that is still at work.",
    file: "components/shell/lib.sh",
    find: "  [[ $1 != undo ]] || mode=--exclusive\n",
    replace: "",
    tests: [unit("library", "lets none be undone meanwhile")],
  },
  {
    name: "half-a-record",
    component: "step library",
    breaks: "A run that is killed leaves half a record, which the next one takes for the whole.",
    file: "components/shell/keep.sh",
    find: `  "\${@:2}" >"$STATE/$1.part"\n  mv -- "$STATE/$1.part" "$STATE/$1"\n`,
    replace: `  "\${@:2}" >"$STATE/$1"\n`,
    tests: [unit("library", "is whole or not there")],
  },
  {
    name: "list-unquoted",
    component: "scripts",
    breaks:
      "What stands in a list of settings is not quoted: a name with a blank becomes two, one with $( ) a command.",
    file: "components/script.ts",
    find: `value.map(quote).join(" ")`,
    replace: `value.join(" ")`,
    tests: [unit("script", "give text, numbers, switches and lists to bash as they are")],
  },
  {
    name: "check-by-halves",
    component: "web",
    breaks: "A check of the site passes by its status or by its text, and not by both.",
    file: "components/web/check.sh",
    find: `[[ $status == "\${CHECK_STATUS[$1]}" && $answer`,
    replace: `[[ $status == "\${CHECK_STATUS[$1]}" || $answer`,
    tests: [unit("siteCheck", "an answer with the")],
  },
  {
    name: "window-ends-at-midnight",
    component: "window",
    breaks: "A window over midnight is closed from midnight on.",
    file: "components/window/window.ts",
    find: "  return [today.subtract({ days: 1 }), today]\n    .flatMap",
    replace: "  return [today]\n    .flatMap",
    tests: [unit("window", "over midnight belongs to the day on which it opens")],
  },
  {
    name: "unknown-is-well",
    component: "cli check",
    breaks: "`changeover check` ends with 0 where it could not find out.",
    file: "cli/check/report.ts",
    find: `const exitCode = severities.includes("error") ? 1 : severities.includes("unknown") ? 2 : 0;`,
    replace: `const exitCode = severities.includes("error") ? 1 : 0;`,
    tests: [unit("cli/check", "could not find out where a server is mute")],
  },
];
