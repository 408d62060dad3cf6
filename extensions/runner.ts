/** Services that a program starts, stops and adds to, one by one or together. */
import type { Config } from "../runtime/config/file.ts";
import { isServiceThread } from "../runtime/channel/thread_mark.ts";
import { didYouMean, nearestNames } from "../runtime/service/options/nearest_names.ts";
import type { Transport } from "../runtime/message/transport.ts";
import type { ServiceContainer } from "../runtime/serving/service_container.ts";
import { type ServiceOrModule, serviceSource } from "../runtime/serving/service_source.ts";
import type { ThreadSettings } from "../runtime/serving/settings.ts";
import type { ExtensionSource } from "./loaded_extensions.ts";
import { type Running, serve, type ServeOptions, type Serving } from "./serve.ts";
import { ensureLogging, getLog } from "../runtime/log/observe.ts";
import { Settings } from "./settings.ts";

/** Options of {@linkcode Runner} and `run()`. */
export interface RunOptions extends ServeOptions {
  /** A configuration with Nameko's keys. @default {{}} */
  readonly config?: Config;
  /**
   * Extensions beside those that the configuration names: values that `extension()` has made, or paths or URLs of
   * modules that export one. They run in the main thread with all rights of this program.
   *
   * @default {[]}
   */
  readonly extensions?: readonly ExtensionSource[];
  /** Permissions, kind and limits of the threads of all services. @default {no permissions} */
  readonly threads?: ThreadSettings;
}

/**
 * Runs services that share a broker and an HTTP server, as Nameko's `ServiceRunner` does.
 *
 * A runner starts once. If one of its services fails, it stops all of them, and `finished` rejects.
 *
 * @example
 * ```ts ignore
 * import { Runner } from "@enoki/enoki/run";
 *
 * await using runner = new Runner({ broker: "amqp://localhost" });
 * await runner.add("./orders.ts");
 * await runner.add("./payments.ts");
 * await runner.start();
 * await runner.container("payments").restart();
 * await runner.finished;
 * ```
 */
export class Runner implements Running {
  /**
   * Resolves when the runner has been stopped and all services have ended. Rejects with the first failure of a
   * service, or with what the start failed with. A service that is stopped alone is no end: it may start again.
   */
  readonly finished: Promise<void>;
  readonly #options: RunOptions;
  readonly #added: ServiceOrModule[] = [];
  readonly #end = Promise.withResolvers<void>();
  readonly #stopping = new AbortController();
  #starting: Promise<Serving> | undefined;
  #serving: Serving | undefined;

  /**
   * Makes a runner without services, which serves nothing before {@linkcode Runner.start}.
   *
   * @throws {TypeError} In a thread of a service: its module is evaluated there, too.
   */
  constructor(options: RunOptions = {}) {
    if (isServiceThread()) {
      throw new TypeError(
        "Cannot run services here: this is a thread of a service, and threads evaluate the module of their service " +
          "anew. Guard what only the program may do: if (import.meta.main) { … }",
      );
    }
    this.#options = options;
    this.finished = this.#end.promise;
    this.finished.catch(() => {});
  }

  /**
   * Serves something more: all services of a module, one of them (`./shop.ts:orders`), or a service itself.
   *
   * Before the start, this only takes a note, and the start loads it. After that it is loaded and served at once,
   * and if that fails, all else goes on.
   *
   * A service itself, which `service()` or a class with decorators has made, is served in threads if its definition
   * says `module: import.meta.url` (in a class, `static readonly module`): they load that module, and pick the service
   * by its name. Without this, the service is served inline, in the thread of this program, and a line of the log says
   * so. Then it has no isolation: it has all permissions of the program, a handler that spins stops everything, a
   * timeout ends the wait and not the handler, and no restart or reload brings new code.
   *
   * @returns The containers of the services, once they run; none before the start.
   * @throws {TypeError} If it is neither a path, nor a URL, nor a service, or the runner has been stopped.
   * @throws {ServiceLoadError} If a module does not load or exports no service, or a service of that name is there.
   * @throws {ConfigurationError} If an entrypoint or a dependency cannot be made.
   * @throws {BrokerError} If the broker refuses what a service declares.
   *
   * @example
   * ```ts
   * import { rpc, service } from "@enoki/enoki";
   * import { Runner } from "@enoki/enoki/run";
   *
   * const greeting = service("greeting", {
   *   module: import.meta.url,
   *   entrypoints: { hello: rpc() },
   *   handlers: { hello: (_context, name: string) => `Hello, ${name}!` },
   * });
   * export default greeting;
   *
   * if (import.meta.main) {
   *   await using runner = new Runner();
   *   await runner.add(greeting);
   *   await runner.start();
   *   await runner.finished;
   * }
   * ```
   */
  async add(added: ServiceOrModule): Promise<readonly ServiceContainer[]> {
    this.#requireNotStopped("add to");
    if (this.#starting !== undefined) return await (await this.#starting).add(added);
    serviceSource(added);
    this.#added.push(added);
    return [];
  }

  /**
   * Connects, and starts all services that have been added. Resolves when all of them serve; if one cannot, none does.
   *
   * @throws {TypeError} If the runner has been started or stopped before.
   * @throws {ConfigurationError} If the configuration is wrong, or an entrypoint or a dependency cannot be made.
   * @throws {RangeError} If one of `threads` makes no sense.
   * @throws {ServiceLoadError} If a module does not load or exports no service, or two services have one name.
   * @throws {ExtensionError} If an extension fails.
   * @throws {BrokerError} If the broker cannot be reached, or refuses what a service declares.
   */
  async start(): Promise<void> {
    this.#requireNotStopped("start");
    if (this.#starting !== undefined) {
      throw new TypeError("Cannot start the runner: it has been started before. Make another one");
    }
    this.#starting = this.#start();
    try {
      this.#serving = await this.#starting;
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#end.reject(error);
      throw error;
    }
    this.#serving.finished.then(this.#end.resolve, this.#end.reject);
  }

  /** The containers by name, those of stopped services included; none before the start. */
  get containers(): ReadonlyMap<string, ServiceContainer> {
    return this.#serving?.containers ?? new Map();
  }

  /**
   * Gives the container of a service, which stays the same until the end of the runner.
   *
   * @throws {TypeError} If the runner has no such service, or has not been started.
   */
  container(name: string): ServiceContainer {
    const { containers } = this.#started;
    const found = containers.get(name);
    if (found !== undefined) return found;
    const names = [...containers.keys()];
    const known = names.length === 0 ? "none at all" : `only ${names.map((each) => `"${each}"`).join(", ")}`;
    throw new TypeError(
      `Cannot find service "${name}": the runner has ${known}${didYouMean(nearestNames(name, names))}`,
    );
  }

  /** The connected transport. @throws {TypeError} If the runner has not been started. */
  get transport(): Transport {
    return this.#started.transport;
  }

  /** URL of the HTTP server; undefined while no service has had HTTP entrypoints. */
  get http(): string | undefined {
    return this.#serving?.http;
  }

  /** The addresses that streams listen on, such as `tcp://0.0.0.0:7007`. */
  get streams(): readonly string[] {
    return this.#serving?.streams ?? [];
  }

  /**
   * Loads modules again and continues with the new version of their services. See {@linkcode Running.reload}. A service
   * that is stopped stays so, because its start loads its code anyway, and one that is served inline stays as it is.
   *
   * @throws {TypeError} If the runner has not been started, the module is not served, or its threads are inline.
   */
  async reload(
    module?: string | URL,
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly string[]> {
    return await this.#started.reload(module, options);
  }

  /**
   * Stops all services politely, and by force after the configured `grace`, and closes the broker and the HTTP server.
   * Idempotent. A start that runs is given up.
   *
   * @param options.signal Aborting stops at once. The signal of a second call does so, too.
   */
  async stop(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#stopping.abort(new DOMException("The runner is being stopped", "AbortError"));
    const serving = await this.#starting?.catch(() => undefined);
    if (serving === undefined) this.#end.resolve();
    else await serving.shutdown(options);
  }

  /** The same as {@linkcode Runner.stop}, by its name in what `run()` gives. */
  shutdown(options?: { readonly signal?: AbortSignal }): Promise<void> {
    return this.stop(options);
  }

  /** Stops all services politely, as `stop()` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(): Promise<Serving> {
    const { config = {}, threads, extensions, ...options } = this.#options;
    const { importMap, signal } = options;
    const settings = await Settings.read(config, {
      ...(threads && { threads }),
      ...(extensions && { extensions }),
      ...(importMap !== undefined && { importMap }),
    });
    if (settings.logging !== undefined) {
      ensureLogging(options.logLevel);
      getLog().warning(
        "The config key LOGGING has an effect under enoki run alone. Configure LogTape in a program of your own",
      );
    }
    const signals = [this.#stopping.signal, ...(signal === undefined ? [] : [signal])];
    return await serve(this.#added, settings, { ...options, signal: AbortSignal.any(signals) });
  }

  get #started(): Serving {
    if (this.#serving === undefined) {
      throw new TypeError("Cannot use the runner: it has not been started. Await start() first");
    }
    return this.#serving;
  }

  #requireNotStopped(what: string): void {
    if (!this.#stopping.signal.aborted) return;
    throw new TypeError(`Cannot ${what} the runner: it has been stopped. Make another one`);
  }
}
