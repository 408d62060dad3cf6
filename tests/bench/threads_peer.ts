/** What threads of one kind cost, in a process of its own: `threads_peer.ts <kind>` prints it as JSON. */
import { spanSeed } from "../../runtime/telemetry/trace.ts";
import { Worker as NodeWorker } from "node:worker_threads";
import { createSpawner } from "../../runtime/spawning/create_spawner.ts";
import type { Messenger } from "../../runtime/message/messenger.ts";
import type { KnownParameters } from "../../runtime/service/declared/parameters.ts";
import { prepareModule } from "../../runtime/module/prepare.ts";
import type { ThreadKind } from "../../runtime/spawning/spawner.ts";
import { PooledThread } from "../../runtime/pool/pooled_thread.ts";

const SERVE = {
  type: "serve",
  service: "bench_echo",
  config: {},
  callTimeout: 30_000,
  parentCallsTracked: 10,
  concurrency: 1,
  logLimit: 1_000,
  logThreshold: "info",
  spanSeed: spanSeed(),
} as const;

const NOBODY: Messenger = {
  request: () => Promise.reject(new Error("nobody")),
  publish: () => Promise.reject(new Error("nobody")),
};

/** What was measured. */
export interface ThreadCost {
  /** Milliseconds until the first serves. */
  readonly first: number;
  /** The median of the next, in milliseconds. */
  readonly next: number;
  /** Resident bytes that each of the next has added. */
  readonly bytes: number;
}

/** How many threads are spawned one after the other, after a first one. */
const THREADS = 10;

const BARE = `data:text/javascript,import { parentPort } from "node:worker_threads";
parentPort.on("message", () => {});
parentPort.postMessage("up");`;

/** A node thread that loads nothing: what Deno itself takes. */
async function spawnBare(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  new NodeWorker(new URL(BARE)).on("message", () => resolve());
  await promise;
}

async function spawnerOf(kind: ThreadKind): Promise<() => Promise<void>> {
  const prepared = await prepareModule(import.meta.resolve("./echo_service.ts"));
  const spawner = await createSpawner(prepared, "bench", {
    kind,
    permissions: kind === "node" ? "all" : "none",
  });
  let parameters: KnownParameters = {};
  return async () => {
    const thread = new PooledThread(spawner, "bench#1", () => {});
    await thread.loaded();
    parameters = await thread.serve({ ...SERVE, parameters }, NOBODY, {
      onSettled() {},
      onRoom() {},
      onReturned() {},
      onEnd() {},
    });
  };
}

async function measure(kind: string): Promise<ThreadCost> {
  const spawn = kind === "bare" ? spawnBare : await spawnerOf(kind as ThreadKind);
  const timed = async () => {
    const start = performance.now();
    await spawn();
    return performance.now() - start;
  };
  const first = await timed();
  const before = Deno.memoryUsage().rss;
  const times: number[] = [];
  while (times.length < THREADS) times.push(await timed());
  const bytes = (Deno.memoryUsage().rss - before) / THREADS;
  return { first, next: times.toSorted((a, b) => a - b)[THREADS >> 1]!, bytes };
}

await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(await measure(Deno.args[0]!))));
Deno.exit();
