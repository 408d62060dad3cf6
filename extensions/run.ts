/**
 * Serves services: the door `@enoki/enoki/run` of programs.
 *
 * @module
 */
import type { Config } from "../runtime/config/file.ts";
import type { ConfigScalar } from "../runtime/config/scalar.ts";
import type { ConfigValue } from "../runtime/config/yaml.ts";
import type { LogLevel } from "../runtime/log/log.ts";
import type { Transport } from "../runtime/message/transport.ts";
import type {
  DenoPermissionName,
  PermissionGrant,
  ServicePermissions,
} from "../runtime/permissions/permissions.ts";
import type { PoolLimits } from "../runtime/pool/pool_options.ts";
import type { RenewalLimits } from "../runtime/pool/renewal/wear.ts";
import type { RunningCall } from "../runtime/pool/running_calls.ts";
import type { Manifest } from "../runtime/service/manifest.ts";
import type { ContainerState } from "../runtime/serving/container.ts";
import type { FileWatchOptions } from "../runtime/serving/file_watch.ts";
import type { PoolNumbers } from "../runtime/serving/pool_numbers.ts";
import type {
  ChangeOptions,
  ContainerExtensions,
  ServiceContainer,
} from "../runtime/serving/service_container.ts";
import type { Progress } from "../runtime/serving/service_set.ts";
import type { ServiceOrModule, ServiceValue } from "../runtime/serving/service_source.ts";
import type { BrokerNames, ServiceSettings, ThreadSettings } from "../runtime/serving/settings.ts";
import type { Isolation } from "../runtime/spawning/isolation.ts";
import type { Clock, TimerName } from "../runtime/waiting/clock.ts";
import type { ThreadLimits } from "../runtime/serving/limits/thread_limits.ts";
import type { ProcessLimits } from "../runtime/spawning/process/process_limits.ts";
import type { ProcessUsage } from "../runtime/spawning/process/process_usage.ts";
import type { ThreadPlan } from "../runtime/spawning/create_spawner.ts";
import type { ThreadKind, ThreadPlace } from "../runtime/spawning/spawner.ts";
import type { LiveService } from "./control/live.ts";
import type { ExtensionSource } from "./loaded_extensions.ts";
import { Runner, type RunOptions } from "./runner.ts";
import type { Running, ServeOptions } from "./serve.ts";

export { connect } from "./connect.ts";
export type { Connection, ConnectOptions } from "./connect.ts";
export { Runner };
export type {
  BrokerNames,
  ChangeOptions,
  Clock,
  Config,
  ConfigScalar,
  ConfigValue,
  ContainerExtensions,
  ContainerState,
  DenoPermissionName,
  ExtensionSource,
  FileWatchOptions,
  Isolation,
  LiveService,
  LogLevel,
  Manifest,
  PermissionGrant,
  PoolLimits,
  PoolNumbers,
  ProcessLimits,
  ProcessUsage,
  Progress,
  RenewalLimits,
  Running,
  RunningCall,
  RunOptions,
  ServeOptions,
  ServiceContainer,
  ServiceOrModule,
  ServicePermissions,
  ServiceSettings,
  ServiceValue,
  ThreadKind,
  ThreadLimits,
  ThreadPlace,
  ThreadPlan,
  ThreadSettings,
  TimerName,
  Transport,
};

/**
 * Serves services. Resolves when all of them serve. The short form of a {@linkcode Runner} that serves them from its
 * start on.
 *
 * @param services Paths or URLs of modules, of which `:name` after one picks one of its services, or services
 * themselves, as {@linkcode Runner.add} takes them.
 * @throws {TypeError} If there are none, or one is neither a path, nor a URL, nor a service. Also in a thread of a
 * service, which evaluates the module of the service: guard the call by `if (import.meta.main)`.
 * @throws {ConfigurationError} If the configuration is wrong.
 * @throws {RangeError} If one of `threads` makes no sense.
 * @throws {ServiceLoadError} If a module does not load or exports no service.
 * @throws {ExtensionError} If an extension fails.
 * @throws {BrokerError} If the broker cannot be reached.
 *
 * @example
 * ```ts ignore
 * import { run } from "@enoki/enoki/run";
 *
 * await using running = await run(["./greeting.ts"], { broker: "amqp://localhost" });
 * await running.finished;
 * ```
 */
export async function run(
  services: readonly ServiceOrModule[],
  options: RunOptions = {},
): Promise<Running> {
  if (!Array.isArray(services)) {
    throw new TypeError("Cannot serve: got no array. Pass an array of paths, URLs or services");
  }
  if (services.length === 0) throw new TypeError("Cannot serve: there are no modules. Name at least one");
  const runner = new Runner(options);
  for (const each of services) await runner.add(each);
  await runner.start();
  return runner;
}
