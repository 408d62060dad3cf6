/** A handler that ends its thread, one that takes too long, and two that behave, at once or after a while. */
import { event, provider, service } from "../../../mod.ts";

const report = provider(({ messenger }) => ({
  get: () => (text: string) =>
    messenger.publish({
      exchange: "",
      routingKey: "enoki_test_reports",
      body: text,
      properties: { contentType: "text/plain" },
    }),
}));

export default service("enoki_test_fatal", {
  dependencies: { report },
  entrypoints: {
    exit: event<string>("enoki_test_source", "exit"),
    spin: event<string>("enoki_test_source", "spin", { timeout: 100, retry: { max: 1, backoff: 1 } }),
    echo: event<string>("enoki_test_source", "echo"),
    nap: event<string>("enoki_test_source", "nap"),
  },
  handlers: {
    async exit({ report }, payload) {
      await report(`exit ${payload}`);
      Deno.exit(1);
    },
    async spin({ report }, payload) {
      await report(`spin ${payload}`);
      while (true);
    },
    echo: ({ report }, payload) => report(`echo ${payload}`),
    async nap({ report }, payload) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      await report(`nap ${payload}`);
    },
  },
});
