/**
 * Serves services: the door `@enoki/enoki/run` of programs.
 *
 * @module
 */
import type { Config } from "../runtime/config/file.ts";
import type { ConfigValue } from "../runtime/config/yaml.ts";
import type { LogLevel } from "../runtime/log/log.ts";
import type { Transport } from "../runtime/message/transport.ts";
import type { PoolLimits } from "../runtime/pool/pool_options.ts";
import type { Container } from "../runtime/serving/container.ts";
import type { FileWatchOptions } from "../runtime/serving/file_watch.ts";
import type { Progress, Runner } from "../runtime/serving/runner.ts";
import type { ThreadSettings } from "../runtime/serving/settings.ts";
import type { ThreadPlan } from "../runtime/spawning/create_spawner.ts";
import type { ExtensionSource } from "./loaded_extensions.ts";
import { type Running, serve, type ServeOptions } from "./serve.ts";
import { Settings } from "./settings.ts";

export { connect } from "./connect.ts";
export type { Connection, ConnectOptions } from "./connect.ts";
export type {
  Config,
  ConfigValue,
  Container,
  ExtensionSource,
  FileWatchOptions,
  LogLevel,
  PoolLimits,
  Progress,
  Runner,
  Running,
  ThreadPlan,
  Transport,
};

/** Options of {@linkcode run}. */
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
 * Serves the services of some modules. Resolves when all services serve.
 *
 * @param modules Paths or URLs. `:name` after one of them picks one of its services.
 * @throws {ConfigurationError} If the configuration is wrong.
 * @throws {RangeError} If one of `threads` makes no sense.
 * @throws {ServiceLoadError} If a module does not load or exports no service.
 * @throws {ExtensionError} If an extension fails.
 * @throws {BrokerError} If the broker cannot be reached.
 *
 * @example
 * ```ts
 * await using running = await run(["./greeting.ts"], { broker: "amqp://localhost" });
 * await running.finished;
 * ```
 */
export async function run(
  modules: readonly (string | URL)[],
  { config = {}, threads, extensions, ...options }: RunOptions = {},
): Promise<Running> {
  if (!Array.isArray(modules)) {
    throw new TypeError("Cannot serve modules: they are no array. Pass an array of paths or URLs");
  }
  const { importMap } = options;
  const settings = await Settings.read(config, {
    ...(threads && { threads }),
    ...(extensions && { extensions }),
    ...(importMap !== undefined && { importMap }),
  });
  return await serve(modules, settings, options);
}
