import assert from "node:assert/strict";
import { encodeRequest } from "../../extensions/rpc/wire.ts";
import type { ThreadPlan } from "../../runtime/spawning/create_spawner.ts";
import { createLog, type LogRecord } from "../../runtime/log/log.ts";
import type { Failure } from "../../runtime/message/failure.ts";
import type { Outcome } from "../../runtime/message/outcome.ts";
import { Pool } from "../../runtime/pool/pool.ts";
import type { PoolOptions } from "../../runtime/pool/pool_options.ts";
import type { ThreadSpawner } from "../../runtime/spawning/spawner.ts";
import { within } from "../../runtime/waiting/abort.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import { Gate } from "./gate.ts";
import { WatchedThreads } from "./watched_threads.ts";

/** Makes threads of the kind under test for a module. */
export type SpawnerFactory = (moduleUrl: string, plan?: Partial<ThreadPlan>) => Promise<ThreadSpawner>;

/** What a pool under test is to be. */
export interface StagePlan
  extends Partial<Omit<PoolOptions, "service" | "spawner" | "messenger" | "onLog" | "log">> {
  /** A file in `tests/fixtures/pool/`, whose service has the same name. @default {"working"} */
  readonly module?: string;
  readonly plan?: Partial<ThreadPlan>;
}

/** Methods of the fixtures in the order of their manifests. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  working: [
    "abortGate",
    "ask",
    "awaitForEver",
    "chat",
    "close",
    "die",
    "echo",
    "exhaustHeap",
    "exitProcess",
    "exitThread",
    "fail",
    "hold",
    "holdAll",
    "keep",
    "nap",
    "say",
    "sleepOrSpin",
    "spin",
    "throwLater",
    "untilAborted",
    "whoami",
  ],
  raw: ["same"],
  streaming: ["ticks", "whoami"],
  reaching: [
    "adopt",
    "connect",
    "environment",
    "kill",
    "processEnvironment",
    "processKill",
    "readFile",
    "request",
    "revoke",
    "worker",
  ],
  closed: ["reach"],
  surroundings: ["look"],
  unready: ["echo"],
};

/** Handlers that may take only so many milliseconds, as their entrypoints say. */
const TIMEOUTS: Readonly<Record<string, number>> = { awaitForEver: 100, spin: 200, untilAborted: 100 };

/** The place of a method in the manifest of its fixture. */
export function entrypointOf(module: string, method: string): number {
  const entrypoint = METHODS[module]!.indexOf(method);
  assert.notEqual(entrypoint, -1, `fixture ${module} has no method ${method}`);
  return entrypoint;
}

/** The URL of a fixture. */
export function fixtureUrl(module: string): string {
  return import.meta.resolve(`../fixtures/pool/${module}.ts`);
}

/** Milliseconds for which the calls may go on that a law has not waited for. */
const LAST_CALLS = 2_000;

/** Keeps a promise from failing the whole file where a law fails before it waits for the promise. */
function heeded<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}

/** A pool of one fixture's threads, with what a test wants to see of it. Disposing it shuts the pool down. */
export class PoolStage implements AsyncDisposable {
  readonly pool: Pool;
  readonly gate = new Gate();
  readonly threads: WatchedThreads;
  /** What the service logged, and what the pool did. */
  readonly records: LogRecord[] = [];
  readonly #module: string;
  readonly #watchers = new Set<(record: LogRecord) => void>();

  constructor(spawner: ThreadSpawner, { module = "working", plan: _plan, ...limits }: StagePlan) {
    this.#module = module;
    this.threads = new WatchedThreads(spawner);
    const onLog = (record: LogRecord) => {
      this.records.push(record);
      for (const watch of this.#watchers) watch(record);
    };
    this.pool = new Pool({
      callTimeout: 30_000,
      parentCallsTracked: 10,
      ...limits,
      service: module,
      spawner: this.threads,
      messenger: this.gate,
      onLog,
      log: createLog({ emit: onLog, service: "pool" }),
    });
  }

  /** Makes the stage and starts its pool. */
  static async open(createSpawner: SpawnerFactory, options: StagePlan = {}): Promise<PoolStage> {
    const { module = "working", plan } = options;
    const stage = new PoolStage(await createSpawner(fixtureUrl(module), plan), options);
    try {
      await stage.pool.start();
    } catch (error) {
      await stage.pool.shutdown();
      throw error;
    }
    return stage;
  }

  /** Runs a handler of the fixture. */
  call(method: string, ...args: readonly unknown[]): Promise<Outcome> {
    return this.callWith({}, method, ...args);
  }

  /** Runs a handler, with headers, a limit of time and a deadline. */
  callWith(
    { headers, timeout, deadline }: {
      readonly headers?: FieldTable;
      readonly timeout?: number | undefined;
      readonly deadline?: number;
    },
    method: string,
    ...args: readonly unknown[]
  ): Promise<Outcome> {
    timeout ??= TIMEOUTS[method];
    return this.pool.run({
      entrypoint: entrypointOf(this.#module, method),
      body: encodeRequest(args),
      contentType: undefined,
      headers,
      ...(timeout !== undefined && { timeout }),
      ...(deadline !== undefined && { deadline }),
    });
  }

  /** Runs a handler and returns what it returned. */
  value(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return heeded(this.call(method, ...args).then(valueOf));
  }

  /** Runs a handler and returns how it failed. */
  failure(method: string, ...args: readonly unknown[]): Promise<Failure> {
    return heeded(this.call(method, ...args).then(failureOf));
  }

  /** The first record that has this message and these properties, past or to come. */
  logged(message: string | RegExp, properties: Readonly<Record<string, unknown>> = {}): Promise<LogRecord> {
    const fits = (record: LogRecord) =>
      (typeof message === "string" ? record.message === message : message.test(record.message)) &&
      Object.entries(properties).every(([key, value]) => record.properties?.[key] === value);
    const past = this.records.find(fits);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve) => {
      const watch = (record: LogRecord) => {
        if (!fits(record)) return;
        this.#watchers.delete(watch);
        resolve(record);
      };
      this.#watchers.add(watch);
    });
  }

  /** Lets the calls end that a failed law has left behind: an inline handler would go on in the next law. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.gate.openAll();
    await within(LAST_CALLS, this.pool.drain());
    this.pool.abort();
    await this.pool.shutdown();
    await Promise.all(this.threads.spawned.map((thread) => thread.ended));
  }
}

/** What a call returned; fails if it did not. */
export function valueOf(outcome: Outcome): unknown {
  assert.equal(outcome.status, "done", Deno.inspect(outcome));
  const { body } = outcome as Extract<Outcome, { readonly status: "done" }>;
  return typeof body === "string" ? JSON.parse(body) : body;
}

/** How a call failed; fails if it did not. */
export function failureOf(outcome: Outcome): Failure {
  assert.equal(outcome.status, "failed", Deno.inspect(outcome));
  return (outcome as Extract<Outcome, { readonly status: "failed" }>).failure;
}
