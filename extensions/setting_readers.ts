/** What reads the settings of the built-in extensions: nothing else of them is loaded with it. */
export { amqpSettings } from "./amqp/settings.ts";
export { controlSettings } from "./control/settings.ts";
export { eventSettings } from "./events/settings.ts";
export { healthSettings } from "./http/health/settings.ts";
export { httpSettings } from "./http/settings.ts";
export { statsdSettings } from "./metrics/statsd/settings.ts";
export { rpcSettings } from "./rpc/settings.ts";
export { sentrySettings } from "./sentry/settings.ts";
export { streamSettings } from "./stream/settings.ts";
export { webSocketSettings } from "./websocket/settings.ts";
