/**
 * The beginning of a module: its first thread starts, and learns of the module as soon as that is prepared.
 *
 * A thread takes its time to start, and then loads modules of its own. So whoever starts services begins with their
 * first module, and loads the code that serves them meanwhile. This file and what it imports is all that has to be
 * loaded before.
 */
import { Claims } from "../../channel/claims.ts";
import type { LogRecord } from "../../log/log.ts";
import { outputLog } from "../../log/output/output_log.ts";
import { given } from "../../message/plain.ts";
import { type PreparedModule, prepareModule, type PrepareModuleOptions } from "../../module/prepare.ts";
import type { ModuleSpecifier } from "../../module/specifier.ts";
import { DEFAULT_LIMITS } from "../../pool/pool_options.ts";
import { type LoadNeeds, ownNeeds } from "../../program/own_modules.ts";
import { createSpawner, type ThreadPlan } from "../../spawning/create_spawner.ts";
import type { Thread, ThreadSpawner } from "../../spawning/spawner.ts";
import { abortable } from "../../waiting/abort.ts";
import type { Clock } from "../../waiting/clock.ts";

/** Options of {@linkcode BegunModule}. */
export interface BeginModuleOptions extends ThreadPlan, PrepareModuleOptions {
  readonly onLog: (record: LogRecord) => void;
  /** The clock of the services. @default {the clock of the machine} */
  readonly clock?: Clock | undefined;
}

/** The first thread of a module. */
export interface FirstThread {
  readonly spawner: ThreadSpawner;
  readonly name: string;
  readonly thread: Thread;
  readonly claims: Claims;
}

/** A module whose first thread has begun. Disposing it ends the thread, unless somebody has taken it over. */
export class BegunModule implements AsyncDisposable {
  readonly specifier: ModuleSpecifier;
  readonly plan: ThreadPlan;
  /** Milliseconds that the thread has for the module. */
  readonly loadTimeout: number;
  readonly preparing: Promise<PreparedModule>;
  readonly #first: Promise<FirstThread>;
  readonly #ending = new AbortController();
  #isOver = false;

  constructor(
    specifier: ModuleSpecifier,
    {
      onLog,
      clock,
      modules,
      importMap,
      bundle,
      loadTimeout = DEFAULT_LIMITS.loadTimeout,
      signal,
      ...plan
    }: BeginModuleOptions,
  ) {
    this.specifier = specifier;
    this.plan = plan;
    this.loadTimeout = loadTimeout;
    this.preparing = prepareModule(specifier.url, {
      loadTimeout,
      ...given({ modules, importMap, bundle }),
      signal: AbortSignal.any([this.#ending.signal, ...(signal === undefined ? [] : [signal])]),
    });
    this.#first = this.#begin(onLog, clock);
    for (const each of [this.preparing, this.#first] as Promise<unknown>[]) each.catch(() => {});
  }

  /** Whether nobody has taken the thread over or ended it. */
  get isFree(): boolean {
    return !this.#isOver;
  }

  /**
   * Takes the first thread over. From now on, the caller ends it.
   *
   * @param signal Aborting ends the preparation and the thread.
   * @throws {ServiceLoadError} If the module cannot be prepared, and the thread needs to know more of it.
   * @throws {ConfigurationError} If such a thread cannot be made.
   */
  async take(signal?: AbortSignal): Promise<FirstThread> {
    try {
      const first = await abortable(this.#first, signal);
      this.#isOver = true;
      return first;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ending.abort();
    const first = await this.#first.catch(() => undefined);
    if (first === undefined) return;
    first.thread.kill();
    await first.spawner[Symbol.asyncDispose]();
    first.thread.port.close();
  }

  async #begin(
    onLog: BeginModuleOptions["onLog"],
    clock: Clock | undefined,
  ): Promise<FirstThread> {
    const { specifier: { url }, plan, preparing } = this;
    const name = moduleName(url);
    const needs = knownNeeds(plan) ?? (await preparing).needs;
    const source = preparing.then(({ source }) => source);
    source.catch(() => {});
    // If possible, the thread starts while the module is still being prepared, because both take time.
    const spawner = await createSpawner({ url, source, needs }, name, plan, clock);
    spawner.processEvents = { ...outputLog({ service: name, emit: onLog }), onCrashLoop() {} };
    const claims = new Claims();
    const thread = spawner.spawn({ name: `${name}#0`, claims: claims.buffer });
    return { spawner, name: `${name}#0`, thread, claims };
  }
}

/** Returns what threads need to load the runtime and a module; undefined if the module decides that. */
function knownNeeds({ permissions }: ThreadPlan): LoadNeeds | undefined {
  return permissions === "all" || Deno.build.standalone ? ownNeeds() : undefined;
}

/** Names the first thread of a module: by its file's name, without parts of the URL that may be secret. */
function moduleName(url: string): string {
  const { protocol, pathname } = new URL(url);
  return protocol === "data:" ? "data" : pathname.slice(pathname.lastIndexOf("/") + 1);
}
