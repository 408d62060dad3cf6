/** Offers the service's log as a dependency. */
import { type DependencySpec, provider } from "../../runtime/service/dependency.ts";
import type { Log } from "../../runtime/log/log.ts";

/**
 * Injects a log that adds the id of the call to each record. It is the same log as `call.log`.
 *
 * @example
 * ```ts
 * import { logger, rpc, service } from "@enoki/enoki";
 *
 * export default service("greeter", {
 *   dependencies: { log: logger() },
 *   entrypoints: { hello: rpc() },
 *   handlers: { hello: ({ log }, name: string) => log.info("greeting", { name }) },
 * });
 * ```
 */
export function logger(): DependencySpec<Log> {
  return provider({ get: (call) => call.log });
}
