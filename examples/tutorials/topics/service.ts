/**
 * Log lines by facility and severity: a topic exchange, and queues that are bound by patterns.
 *
 * ```sh
 * deno run -A cli.ts run ./examples/tutorials/topics/service.ts
 * deno run -A cli.ts call topic_emitter.emit kern.critical "A critical kernel error"
 * ```
 */
import { consume, exchange, publisher, queue, rpc, service } from "@enoki/enoki";

const logs = exchange("topic_logs", { type: "topic" });

// A star stands for one word; `#` would stand for any number of them.
const kernel = queue({ exchange: logs, routingKey: "kern.*" });

const critical = queue({ exchange: logs, routingKey: "*.critical" });

export const emitter = service("topic_emitter", {
  dependencies: { publish: publisher<string>({ exchange: logs }) },
  entrypoints: { emit: rpc() },
  handlers: {
    emit: ({ publish }, topic: string, line: string) => publish(line, { routingKey: topic }),
  },
});

export const receivers = service("topic_receivers", {
  entrypoints: { kernel: consume<string>(kernel), critical: consume<string>(critical) },
  handlers: {
    kernel({ call }, line, { routingKey }) {
      call.log.info("from the kernel", { topic: routingKey, line });
    },
    critical({ call }, line, { routingKey }) {
      call.log.info("critical", { topic: routingKey, line });
    },
  },
});
