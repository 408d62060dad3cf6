import { rpc, service } from "../../mod.ts";

/** What the benchmark calls. */
export default service("bench_echo", {
  entrypoints: { echo: rpc() },
  handlers: { echo: (_context, value: unknown) => value },
});

/** The same for a process whose calls are spans of OpenTelemetry, beside one whose calls are none. */
export const traced = service("bench_echo_traced", {
  entrypoints: { echo: rpc() },
  handlers: { echo: (_context, value: unknown) => value },
});

/** The same for a caller whose calls are transient. */
export const transient = service("bench_echo_transient", {
  entrypoints: { echo: rpc() },
  handlers: { echo: (_context, value: unknown) => value },
});

/** The same for a process where nothing is counted. */
export const untold = service("bench_echo_untold", {
  entrypoints: { echo: rpc() },
  handlers: { echo: (_context, value: unknown) => value },
});

/** The same for a service that has a process of its own. */
export const ownProcess = service("bench_echo_process", {
  entrypoints: { echo: rpc() },
  handlers: { echo: (_context, value: unknown) => value },
});
