/** A service that reports each event that it handles, before the event is acked. */
import { event, provider, service } from "../../../mod.ts";

const prefix = Deno.env.get("ENOKI_TEST_PREFIX") ?? "enoki_test_counting";

const report = provider(({ messenger }) => ({
  get: () => (method: string, n: number) =>
    messenger.publish({
      exchange: "",
      routingKey: `${prefix}_reports`,
      body: `${Deno.pid} ${method} ${n}`,
      properties: { contentType: "text/plain" },
    }),
}));

const source = `${prefix}_source`;

export default service(`${prefix}_counter`, {
  dependencies: { report },
  entrypoints: {
    pool: event<number>(source, "n"),
    singleton: event<number>(source, "n", { delivery: "singleton" }),
    broadcast: event<number>(source, "n", { delivery: "broadcast" }),
  },
  handlers: {
    pool: ({ report }, n) => report("pool", n),
    singleton: ({ report }, n) => report("singleton", n),
    broadcast: ({ report }, n) => report("broadcast", n),
  },
});
