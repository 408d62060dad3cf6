// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { HTTP_CASES } from "./http_bench.ts";
import { httpLoad } from "./http_load.ts";
import { PortPeer } from "./port_peer.ts";
import { ratioInterval } from "./ratio_interval.ts";
import { RpcSide } from "./rpc_side.ts";
import { hasWrk, wrkLoad } from "./wrk.ts";
import { Worktree } from "./worktree.ts";

/** A revision is slower if all of the interval is below this part of the other's rate. */
const LEAST_RATIO = 0.95;

const CONNECTIONS = 64;

/** Milliseconds of a slice. `wrk` takes whole seconds. */
const SLICE = 1_000;

/** One tree's side of one load: measures a rate. */
type Slice = () => Promise<number>;

/** A load that both trees bear, by its name. */
type Loads = ReadonlyMap<string, Slice>;

/** Starts the loads of one tree, by the folder of its benchmark; the stack ends them. */
type Open = (folder: URL, stack: AsyncDisposableStack, broker: string) => Promise<Loads>;

/** The parts of the benchmark that can be compared. */
export const GUARDED: Readonly<Record<string, Open>> = { http: openHttp, rpc: openRpc };

/** What is compared with what, and how. */
export interface Comparison {
  /** Any name of a revision that git knows. */
  readonly against: string;
  readonly parts: readonly string[];
  /** Slices of each side, for each load. */
  readonly slices: number;
  /** The URI of the broker. */
  readonly broker: string;
}

/** Compares this tree, as it lies there, with a revision; returns whether no load is surely slower. */
export async function benchAgainst({ against, parts, slices, broker }: Comparison): Promise<boolean> {
  await using base = await Worktree.checkOut(against);
  console.log(
    `This tree beside ${against} (${base.commit}), ${slices} slices of ${SLICE / 1_000} s each, in turns; ` +
      `ratio with the 95 % t-interval of the logarithms of the pairs' ratios`,
  );
  console.log("load                 base/s     this/s   ratio  95 % interval");
  let holds = true;
  for (const part of parts) {
    await using stack = new AsyncDisposableStack();
    const before = await GUARDED[part]!(base.bench, stack, broker);
    const now = await GUARDED[part]!(new URL("./", import.meta.url), stack, broker);
    for (const [name, slice] of now) {
      const pairs = await inTurns(before.get(name)!, slice, slices);
      holds = report(`${part}, ${name}`, pairs) && holds;
    }
  }
  return holds;
}

/** Pairs of the rates of both; each is the first in every other pair. */
async function inTurns(
  before: Slice,
  now: Slice,
  slices: number,
): Promise<readonly (readonly [number, number])[]> {
  const pairs: (readonly [number, number])[] = [];
  // The first pair warms up.
  for (let slice = 0; slice <= slices; slice++) {
    const first = await (slice % 2 === 0 ? before : now)();
    const second = await (slice % 2 === 0 ? now : before)();
    if (first === 0 || second === 0) {
      throw new Error("Cannot compare: nothing was answered in a slice. Leave the machine to the benchmark");
    }
    if (slice > 0) pairs.push(slice % 2 === 0 ? [first, second] : [second, first]);
  }
  return pairs;
}

function report(name: string, pairs: readonly (readonly [number, number])[]): boolean {
  const { low, ratio, high } = ratioInterval(pairs);
  const mean = (side: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
  const holds = high >= LEAST_RATIO;
  console.log(
    `${name.padEnd(16)} ${mean(0).toFixed(0).padStart(10)} ${mean(1).toFixed(0).padStart(10)} ${
      ratio.toFixed(3).padStart(7)
    }  ${low.toFixed(3)} to ${high.toFixed(3)}${holds ? "" : `  slower: below ${LEAST_RATIO}`}`,
  );
  return holds;
}

async function openHttp(folder: URL, stack: AsyncDisposableStack): Promise<Loads> {
  const load = await hasWrk() ? wrkLoad : httpLoad;
  const { port } = stack.use(await PortPeer.startIn(folder, "http_peer.ts", "enoki"));
  return new Map(
    HTTP_CASES.map((
      { name, asked },
    ) => [name, async () => (await load(port, asked, CONNECTIONS, SLICE)).rate]),
  );
}

async function openRpc(folder: URL, stack: AsyncDisposableStack, broker: string): Promise<Loads> {
  const side = stack.use(await RpcSide.startIn(folder, "enoki", broker));
  return new Map(
    [1, 50].map((inFlight) => [`${inFlight} in flight`, async () => (await side.load(inFlight, SLICE)).rate]),
  );
}
