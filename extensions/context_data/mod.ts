import { type DependencySpec, provider } from "../../runtime/service/dependency.ts";

/**
 * Injects one value of the context data, which travels from service to service.
 *
 * The value is null if the call has none. `call.carry({ [key]: value })` in a hook or a handler sets it for all that
 * the call sends from then on, and `client.with({ headers })` for one call.
 *
 * @typeParam Value What the senders of this system put there. Nobody checks it.
 *
 * @example
 * ```ts ignore
 * import { contextData, rpc, service } from "@enoki/enoki";
 *
 * export default service("orders", {
 *   dependencies: { tenant: contextData("tenant") },
 *   entrypoints: { list: rpc() },
 *   handlers: { list: ({ tenant }) => `the orders of ${tenant ?? "everybody"}` },
 * });
 * ```
 */
export function contextData<Value = string>(key: string): DependencySpec<Value | null> {
  return provider({ get: ({ headers }) => (headers[key] ?? null) as Value | null });
}

/** Injects the language of the user: Nameko's `Language`, context data `language`. */
export function language(): DependencySpec<string | null> {
  return contextData("language");
}

/** Injects the id of the user: Nameko's `UserId`, context data `user_id`. */
export function userId<Id extends string | number = string>(): DependencySpec<Id | null> {
  return contextData<Id>("user_id");
}

/** Injects the program of the user: Nameko's `UserAgent`, context data `user_agent`. */
export function userAgent(): DependencySpec<string | null> {
  return contextData("user_agent");
}

/** Injects the token that the user has shown: Nameko's `AuthToken`, context data `auth_token`. It is not checked. */
export function authToken(): DependencySpec<string | null> {
  return contextData("auth_token");
}
