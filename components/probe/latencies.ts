/** Percentiles of very many latencies in little room: each is kept to within one per cent. */

/** The ratio of a bucket's upper to its lower edge. */
const ratio = 1.01;
/** Milliseconds below which latencies are not told apart. */
const least = 0.1;

/** A histogram of milliseconds. */
export class Latencies {
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #max = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The longest; 0 where there is none. */
  get max(): number {
    return this.#max;
  }

  add(milliseconds: number): void {
    const bucket = Math.ceil(Math.log(Math.max(milliseconds, least) / least) / Math.log(ratio));
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count++;
    this.#max = Math.max(this.#max, milliseconds);
  }

  /** All of another one's, too. */
  merge(other: Latencies): void {
    for (const [bucket, number] of other.#buckets)
      this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + number);
    this.#count += other.#count;
    this.#max = Math.max(this.#max, other.#max);
  }

  /** The latency that so much of all (0 to 1) do not exceed; 0 where there is none. */
  quantile(part: number): number {
    const wanted = Math.max(1, Math.ceil(part * this.#count));
    let seen = 0;
    for (const [bucket, number] of [...this.#buckets].toSorted(([one], [other]) => one - other)) {
      seen += number;
      if (seen >= wanted) return Math.min(this.#max, least * ratio ** bucket);
    }
    return 0;
  }
}
