import { rpc, service } from "../../mod.ts";

/** What the benchmark calls. */
export default service("bench_echo", {
  entrypoints: { echo: rpc() },
  handlers: { echo: (_context, value: unknown) => value },
});
