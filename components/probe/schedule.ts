/** An open loop: what is due begins on time, whatever became of what began before. So a stall hides nothing that was due in it. */

/** What is due by now, and when the next comes. Times are milliseconds. */
export interface Due {
  due: number[];
  /** How many are too late to be begun: this machine stood still. */
  skipped: number;
  next: number;
}

/**
 * The times that are due. Pure.
 * @param next the first that has not begun.
 * @param patience what is later than so many milliseconds is left out.
 */
export function dueBy(now: number, next: number, interval: number, patience: number): Due {
  const number = now < next ? 0 : Math.floor((now - next) / interval) + 1;
  const skipped = Math.max(0, Math.min(number, Math.ceil((now - patience - next) / interval)));
  const due = Array.from({ length: number - skipped }, (_, index) => next + (skipped + index) * interval);
  return { due, skipped, next: next + number * interval };
}

/**
 * Calls `begin` for every due time, with that time by performance.now().
 * @returns what ends it.
 */
export function openLoop(
  { interval, patience }: { interval: number; patience: number },
  begin: (due: number) => void,
  onSkipped: (number: number) => void,
): () => void {
  let next = performance.now();
  let timer: NodeJS.Timeout;
  const tick = () => {
    const now = performance.now();
    const { due, skipped, next: after } = dueBy(now, next, interval, patience);
    next = after;
    if (skipped > 0) onSkipped(skipped);
    due.forEach(begin);
    timer = setTimeout(tick, Math.max(0, next - performance.now()));
  };
  tick();
  return () => clearTimeout(timer);
}
