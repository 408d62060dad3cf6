/** Takes orders that are not ready yet again later, and gives up those that never will be. */
import { consume, logger, queue, service } from "@enoki/enoki";

/** An order that cannot be taken before `ready`, in milliseconds since the epoch. */
interface Order {
  readonly item: string;
  readonly ready: number;
}

export default service("retry_service", {
  dependencies: { log: logger() },
  entrypoints: { order: consume<Order>(queue("orders"), { retry: { max: 3, backoff: 300 } }) },
  handlers: {
    order({ log }, { item, ready }) {
      if (Date.now() < ready) throw new Error(`${item} is not ready`);
      log.info(`retry_service took the order of ${item}`);
    },
  },
});
