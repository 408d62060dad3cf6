/**
 * Log lines by severity: a direct exchange, and queues that are bound by the routing keys that they want.
 *
 * ```sh
 * deno run -A cli.ts run ./examples/tutorials/routing/service.ts
 * deno run -A cli.ts call severity_emitter.emit error "Run. Run. Or it will explode."
 * ```
 */
import { consume, exchange, publisher, queue, rpc, service } from "@enoki/enoki";

const logs = exchange("direct_logs");

// Queues without names: each instance of the receivers has its own.
const errors = queue({ exchange: logs, routingKey: "error" });

const all = queue({
  exchange: logs,
  bindings: [{ routingKey: "info" }, { routingKey: "warning" }, { routingKey: "error" }],
});

export const emitter = service("severity_emitter", {
  dependencies: { publish: publisher<string>({ exchange: logs }) },
  entrypoints: { emit: rpc() },
  handlers: {
    emit: ({ publish }, severity: string, line: string) => publish(line, { routingKey: severity }),
  },
});

export const receivers = service("severity_receivers", {
  entrypoints: { keep: consume<string>(errors), show: consume<string>(all) },
  handlers: {
    keep({ call }, line) {
      call.log.info("kept", { line });
    },
    show({ call }, line, { routingKey }) {
      call.log.info("shown", { severity: routingKey, line });
    },
  },
});
