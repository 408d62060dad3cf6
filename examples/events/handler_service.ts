/** Handles the events of `emitter_service`, as in Nameko's tutorial. */
import { event, logger, service } from "@enoki/enoki";
import type emitter from "./emitter_service.ts";

export default service("handler_service", {
  dependencies: { log: logger() },
  entrypoints: { handler: event<typeof emitter, "some_event">("emitter_service", "some_event") },
  handlers: {
    handler({ log }, payload) {
      log.info(`handler_service received: ${payload}`);
    },
  },
});
