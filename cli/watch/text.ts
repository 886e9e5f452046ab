/** What a watch tells: lines of JSON, a live line, events, a table. Pure. */
import { columns, count, printable } from "../text.ts";
import type { Probed, Seen } from "./tally.ts";

/** One probe as a line of JSON; its keys are stable. */
export function probeJson(probed: Probed, counted: string): string {
  const { at, name, address, via, latency, status, marker, servedBy, certificate, error } = probed;
  return JSON.stringify({
    time: new Date(at).toISOString(),
    name,
    address,
    via,
    outcome: counted,
    status,
    marker,
    servedBy,
    latencyMilliseconds: rounded(latency),
    certificate,
    error,
  });
}

/** The summary as a line of JSON. */
export function summaryJson(seen: readonly Seen[], seconds: number, nameErrors: number): string {
  const targets = seen.map(({ name, address, via, ok, maintenance, failed, notYet, latencies, expires }) => ({
    name,
    address,
    via,
    ok,
    maintenance,
    failed,
    notYet,
    ...milliseconds(latencies),
    certificateExpires: expires,
  }));
  return JSON.stringify({ summary: { seconds: rounded(seconds), nameErrors, targets } });
}

function milliseconds(latencies: Seen["latencies"]) {
  return {
    p50Milliseconds: rounded(latencies.quantile(0.5)),
    p99Milliseconds: rounded(latencies.quantile(0.99)),
    maxMilliseconds: rounded(latencies.max),
  };
}

function rounded(number: number): number {
  return Math.round(number * 10) / 10;
}

/** All that matters in one line: each address apart. */
export function liveLine(byAddress: readonly Seen[], seconds: number): string {
  const parts = byAddress.map((seen) => {
    const { via, address, ok, maintenance, failed, notYet, failing, latencies } = seen;
    const { p50Milliseconds: p50, p99Milliseconds: p99, maxMilliseconds: max } = milliseconds(latencies);
    const counts = [
      `${ok} ok`,
      ...(maintenance > 0 ? [`${maintenance} page`] : []),
      `${failed} failed${failing > 0 ? " (NOW)" : ""}`,
      ...(notYet > 0 && ok === 0 ? ["not yet there"] : []),
    ].join(", ");
    const times = latencies.count > 0 ? `, p50 ${p50} p99 ${p99} max ${max} ms` : "";
    return `${via.join("+")} ${address}: ${counts}${times}`;
  });
  return printable(`${Math.round(seconds)} s | ${parts.join(" | ")}`);
}

/** What has just changed for a target; nothing where it goes on as before. */
export function eventLine(probed: Probed, counted: string, before: Seen): string | undefined {
  const where = `${new Date(probed.at).toISOString().slice(11, 23)} ${probed.via.join("+")} ${probed.address} ${probed.name}`;
  if (counted === "failed" && before.failing === 0)
    return printable(`${where}: FAILED: ${probed.error} (${rounded(probed.latency)} ms)`);
  if (counted !== "failed" && before.failing > 0)
    return printable(
      `${where}: ok again after ${count(before.failing, "failure")} in ${rounded((probed.at - before.failingSince) / 1000)} s`,
    );
  if (counted === "maintenance" && before.maintenance === 0)
    return printable(`${where}: shows the maintenance page`);
  return undefined;
}

/** The whole watch as a table. */
export function summaryTable(seen: readonly Seen[], seconds: number, nameErrors: number): string {
  const header = [
    "address",
    "leads there",
    "name",
    "ok",
    "page",
    "failed",
    "p50 ms",
    "p99 ms",
    "max ms",
    "certificate until",
    "",
  ];
  const rows = seen.map((one) => {
    const { p50Milliseconds, p99Milliseconds, maxMilliseconds } = milliseconds(one.latencies);
    return [
      one.address,
      one.via.join("+"),
      one.name,
      String(one.ok),
      String(one.maintenance),
      String(one.failed),
      ...(one.latencies.count > 0 ? [p50Milliseconds, p99Milliseconds, maxMilliseconds] : ["", "", ""]).map(
        String,
      ),
      one.expires?.slice(0, 10) ?? "",
      one.failed > 0 ? `last: ${one.lastError}` : one.notYet > 0 && one.ok === 0 ? "not yet there" : "",
    ];
  });
  const failed = seen.reduce((sum, one) => sum + one.failed, 0);
  const wrong = [
    ...(failed > 0 ? [`${count(failed, "probe")} failed`] : []),
    ...(nameErrors > 0 ? [`${count(nameErrors, "question")} to name servers got no answer`] : []),
  ];
  return printable(
    [
      `Watched for ${Math.round(seconds)} s: ${wrong.length > 0 ? wrong.join(", ") : "nothing failed"}.`,
      ...columns([header, ...rows]),
    ].join("\n"),
  );
}
