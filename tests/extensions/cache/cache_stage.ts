import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, type Connection, run, type Running } from "../../../extensions/run.ts";
import { rpc, service } from "../../../mod.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { type Family, parsePrometheus, valueOf } from "../../fixtures/prometheus_parser.ts";
import { servicePath } from "../../fixtures/serve_in_memory.ts";

/** Threads of the service that reads. */
export const THREADS = 3;

/** What the service that reads answers. */
export interface ReadValue {
  readonly value: unknown;
  readonly thread: string;
}

class RefusedError extends Error {
  override name = "RefusedError";
}

/** The service from which values are loaded. The test serves it itself, and decides when it answers. */
export function createSource(): SourceStage {
  const loads = new Map<string, number>();
  const changed = new Set<() => void>();
  const held = new Map<string, PromiseWithResolvers<void>>();
  const meetings = new Map<string, { size: number; readonly all: PromiseWithResolvers<void> }>();
  const failing = new Set<string>();
  const load = async (key: string): Promise<string> => {
    const number = (loads.get(key) ?? 0) + 1;
    loads.set(key, number);
    for (const tell of changed) tell();
    await held.get(key)?.promise;
    if (failing.has(key)) throw new Error(`no ${key}`);
    return `${key} ${number}`;
  };
  const until = async (fits: () => boolean) => {
    while (!fits()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      changed.add(resolve);
      await promise;
      changed.delete(resolve);
    }
  };
  return {
    service: sourceService(load, async (meeting) => {
      let met = meetings.get(meeting);
      if (met === undefined) meetings.set(meeting, met = { size: 0, all: Promise.withResolvers() });
      if (++met.size === THREADS) met.all.resolve();
      await met.all.promise;
    }),
    loads: (key) => loads.get(key) ?? 0,
    loaded: (key, times) => until(() => (loads.get(key) ?? 0) >= times),
    hold(key) {
      held.set(key, Promise.withResolvers());
    },
    release(key) {
      held.get(key)?.resolve();
      held.delete(key);
    },
    fail: (key) => void failing.add(key),
    mend: (key) => void failing.delete(key),
  };
}

/** Serves the values, and what the tests do with them. */
interface SourceStage {
  readonly service: Source;
  /** How often a value was loaded. */
  loads(key: string): number;
  /** Resolves when a value is being loaded for that time. */
  loaded(key: string, times: number): Promise<void>;
  /** Lets those who load a value wait. */
  hold(key: string): void;
  release(key: string): void;
  fail(key: string): void;
  mend(key: string): void;
}

function sourceService(load: (key: string) => Promise<string>, meet: (meeting: string) => Promise<void>) {
  return service("enoki_test_cache_source", {
    entrypoints: { load: rpc(), meet: rpc(), odd: rpc(), refuse: rpc(), slow: rpc() },
    handlers: {
      load: (_context, key: string) => load(key),
      meet: (_context, meeting: string) => meet(meeting),
      odd: (_context, key: string) => ({ list: [key.length > 0 ? 1 : 0] }),
      refuse: async (_context, key: string) => {
        await load(key);
        throw new RefusedError("not for you");
      },
      slow: (_context, key: string) => load(key),
    },
  });
}

/** The type of the service from which values are loaded. */
export type Source = ReturnType<typeof sourceService>;

/** A process with the services of `caching.ts`. */
export interface CacheStage extends AsyncDisposable, Omit<SourceStage, "service"> {
  readonly running: Running;
  readonly cluster: Connection;
  call<Result = string>(method: string, ...args: readonly unknown[]): Promise<Result>;
  /** Reads a value in all threads at once. */
  readEverywhere(key: string): Promise<readonly ReadValue[]>;
  /** A number of the service that reads. */
  count(name: string, labels: Readonly<Record<string, string>>): Promise<number>;
}

let meetings = 0;

/** Serves the services of `caching.ts`. */
export async function cacheStage(config: PlainRecord = {}): Promise<CacheStage> {
  const { service: source, ...stage } = createSource();
  const broker = new MemoryBroker();
  const port = freePort();
  const running = await run([servicePath("caching.ts"), source], {
    broker: memory({ broker }),
    config: {
      HEALTH_ADDRESS: `127.0.0.1:${port}`,
      services: {
        enoki_test_cache_reader: { max_workers: THREADS, min_workers: THREADS },
        enoki_test_cache_source: { max_workers: 50 },
      },
      ...config,
    },
    threads: { kind: "web" },
  });
  const cluster = await connect({ broker: memory({ broker }) });
  const reader = cluster.client("enoki_test_cache_reader");
  const call: CacheStage["call"] = (method, ...args) => reader[method]!(...args) as Promise<never>;
  const page = async (): Promise<ReadonlyMap<string, Family>> =>
    parsePrometheus(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  return {
    ...stage,
    running,
    cluster,
    call,
    async readEverywhere(key) {
      const meeting = `meeting ${++meetings}`;
      return await Promise.all(
        Array.from({ length: THREADS }, () => call<ReadValue>("meet", meeting, key)),
      );
    },
    count: async (name, labels) =>
      valueOf(await page(), name, { service: "enoki_test_cache_reader", ...labels }) ?? 0,
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await running.shutdown();
    },
  };
}
