/**
 * Log lines that everybody gets who is there: a fanout exchange, and a queue for each receiver.
 *
 * ```sh
 * deno run -A cli.ts run ./examples/tutorials/publish_subscribe/service.ts:receiver   # as often as you like
 * deno run -A cli.ts run ./examples/tutorials/publish_subscribe/service.ts:emitter
 * deno run -A cli.ts call emitter.emit "info: Hello World!"
 * ```
 */
import { consume, exchange, publisher, queue, rpc, service } from "@enoki/enoki";

const logs = exchange("logs", { type: "fanout" });

// A name of its own for each process of this machine, and the same one in all threads of the process. A random
// name would be another one in each thread. The queue is exclusive, so that it goes when the process does.
const mine = queue(`logs-${Deno.pid}`, { exchange: logs, exclusive: true });

export const emitter = service("emitter", {
  dependencies: { publish: publisher<string>({ exchange: logs }) },
  entrypoints: { emit: rpc() },
  handlers: { emit: ({ publish }, line: string) => publish(line) },
});

export const receiver = service("receiver", {
  entrypoints: { receive: consume<string>(mine) },
  handlers: {
    receive({ call }, line) {
      call.log.info("received", { line });
    },
  },
});
