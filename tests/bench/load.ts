/** Something that can be called and measured. */
export interface Echo {
  echo(value: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** What a load measured. Latencies are in milliseconds. */
export interface Measurement {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

/** What every call carries: a small order. */
export const PAYLOAD = {
  id: 12345,
  customer: "Ada Lovelace",
  items: [{ sku: "A-1", count: 2 }, { sku: "B-7", count: 1 }],
};

/** Keeps `inFlight` calls going for `duration` milliseconds. */
export async function load(target: Echo, inFlight: number, duration: number): Promise<Measurement> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + duration;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    for (let before = performance.now(); before < end;) {
      await target.echo(PAYLOAD);
      const after = performance.now();
      latencies.push(after - before);
      before = after;
    }
  }));
  return measurementOf(latencies, performance.now() - start);
}

/** What the milliseconds that calls took come to, which were made in `elapsed` milliseconds. */
export function measurementOf(latencies: readonly number[], elapsed: number): Measurement {
  const sorted = latencies.toSorted((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
  return { rate: sorted.length / elapsed * 1_000, p50: quantile(0.5), p99: quantile(0.99) };
}
