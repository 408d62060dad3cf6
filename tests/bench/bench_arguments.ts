import { parseArgs } from "node:util";

/** What `deno task bench` was asked for. */
export interface BenchArguments {
  readonly parts: readonly string[];
  /** The file that gets the figures. */
  readonly json: string | undefined;
  /** The folder that gets a chart of each part. */
  readonly svg: string | undefined;
  /** The revision that this tree is compared to. */
  readonly against: string | undefined;
  /** Slices of each side in a comparison. */
  readonly slices: number;
  /** HTTP requests whose memory is measured. */
  readonly requests: number;
}

/** The flags, all of which have a value. */
export const BENCH_FLAGS = {
  json: { type: "string" },
  svg: { type: "string" },
  against: { type: "string" },
  slices: { type: "string" },
  requests: { type: "string" },
} as const;

/** Slices of each side that a comparison has if nobody says how many. */
const SLICES = 30;

/** HTTP requests whose memory is measured if nobody says how many. */
const REQUESTS = 500_000;

/** Fewer slices tell too little of how much they differ by themselves. */
const FEWEST_SLICES = 5;

/**
 * Reads the arguments of the benchmark.
 *
 * @param known The names of all parts; those without an argument.
 * @param guarded The names of the parts that can be compared with another revision.
 * @throws {TypeError} If a flag or a part is unknown, or a number is none.
 */
export function readBenchArguments(
  args: readonly string[],
  known: readonly string[],
  guarded: readonly string[],
): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: BENCH_FLAGS,
  });
  const { json, svg, against } = values;
  const possible = against === undefined ? known : guarded;
  const unknown = positionals.find((part) => !possible.includes(part));
  if (unknown !== undefined) {
    const action = against === undefined ? "measure" : "compare";
    throw new TypeError(`Cannot ${action} "${unknown}": the parts are ${possible.join(", ")}`);
  }
  const slices = Number(values.slices ?? SLICES);
  if (!Number.isInteger(slices) || slices < FEWEST_SLICES) {
    throw new TypeError(
      `Cannot compare in ${values.slices} slices: it must be a whole number of ${FEWEST_SLICES} or more`,
    );
  }
  const requests = Number(values.requests ?? REQUESTS);
  if (!Number.isInteger(requests) || requests < 1) {
    throw new TypeError(
      `Cannot make ${values.requests} requests: it must be a whole number of 1 or more`,
    );
  }
  return { parts: positionals.length > 0 ? positionals : possible, json, svg, against, slices, requests };
}
