/** Profiles of the thread that asks for them, by V8's own profilers. */
import { type Runtime, Session } from "node:inspector";

/** A part of a profile: what a function itself took, without the functions that it called. */
export interface Share {
  readonly function: string;
  /** Path of the file from the root of the project, or the name of the module of Deno or V8 itself. */
  readonly file: string;
  /** Microseconds of a time profile, bytes of an allocation profile. */
  readonly amount: number;
}

interface ProfileNode {
  readonly callFrame: Runtime.CallFrame;
  readonly amount: number;
  readonly children: readonly ProfileNode[];
}

const ROOT = new URL("../../../", import.meta.url).href;

/** Bytes between two samples of an allocation profile, on average. */
const ALLOCATION_INTERVAL = 4_096;

/** Microseconds between two samples of a time profile. */
const TIME_INTERVAL = 200;

/** Takes one profile at a time of this thread. */
export class Profiler implements Disposable {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
  }

  /** Begins to measure where the time goes; the function that it returns gives what was measured. */
  async time(): Promise<() => Promise<readonly Share[]>> {
    await this.#post("Profiler.enable");
    await this.#post("Profiler.setSamplingInterval", { interval: TIME_INTERVAL });
    await this.#post("Profiler.start");
    return async () => {
      const { profile } = await this.#post<{ profile: CpuProfile }>("Profiler.stop");
      return sharesOf(treeOf(profile));
    };
  }

  /** Begins to measure who allocates; the function that it returns gives what was measured. */
  async allocations(): Promise<() => Promise<readonly Share[]>> {
    await this.#post("HeapProfiler.startSampling", {
      samplingInterval: ALLOCATION_INTERVAL,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    return async () => {
      const { profile } = await this.#post<{ profile: { head: HeapNode } }>("HeapProfiler.stopSampling");
      return sharesOf(heapTreeOf(profile.head));
    };
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #post<Result>(method: string, params: object = {}): Promise<Result> {
    return new Promise((resolve, reject) =>
      this.#session.post(
        method,
        params,
        (error, result) => error === null ? resolve(result as Result) : reject(error),
      )
    );
  }
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: Runtime.CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

function treeOf({ nodes, samples, timeDeltas }: CpuProfile): ProfileNode {
  const times = new Map<number, number>();
  samples.forEach((id, index) => times.set(id, (times.get(id) ?? 0) + timeDeltas[index]!));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const build = (id: number): ProfileNode => {
    const { callFrame, children = [] } = byId.get(id)!;
    return { callFrame, amount: times.get(id) ?? 0, children: children.map(build) };
  };
  return build(nodes[0]!.id);
}

interface HeapNode {
  readonly callFrame: Runtime.CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

function heapTreeOf({ callFrame, selfSize, children }: HeapNode): ProfileNode {
  return { callFrame, amount: selfSize, children: children.map(heapTreeOf) };
}

/** What a function of V8 itself takes, such as `JSON.parse`, counts for the file that called it. */
function sharesOf(tree: ProfileNode): readonly Share[] {
  const shares = new Map<string, Share>();
  const visit = ({ callFrame, amount, children }: ProfileNode, caller: string): void => {
    const { functionName, url } = callFrame;
    const isOfEngine = url === "" && !functionName.startsWith("(");
    const file = isOfEngine ? caller : url === "" ? functionName : fileOf(url);
    const name = functionName || "(anonymous)";
    const key = `${file} ${name}`;
    if (amount > 0) {
      shares.set(key, { function: name, file, amount: (shares.get(key)?.amount ?? 0) + amount });
    }
    for (const child of children) visit(child, file);
  };
  visit(tree, "(program)");
  return [...shares.values()];
}

function fileOf(url: string): string {
  if (url.startsWith(ROOT)) return url.slice(ROOT.length);
  return url.includes("/node_modules/") || url.includes("/npm/")
    ? `npm:${/(?:node_modules|registry\.npmjs\.org|npm\/[^/]+)\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? url}`
    : url;
}
