/** The half in the main thread: what listens to channels, and connections for other extensions that keep data in Redis. */
export { serverOf } from "./settings.ts";
export { holdConnection } from "./shared_connection.ts";
export { SubscriptionHost } from "./subscription_host.ts";
