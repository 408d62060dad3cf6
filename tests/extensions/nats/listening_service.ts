import { event, logger, service } from "@enoki/enoki";

export default service("listener", {
  dependencies: { log: logger() },
  entrypoints: { hear: event<string>("speaker", "said", { delivery: "broadcast", reliable: false }) },
  handlers: {
    hear({ log }, text) {
      log.info(`heard ${text}`);
    },
  },
});
