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

// A queue without a name: each receiver that runs has one of its own, which goes when the receiver does.
const mine = queue({ exchange: logs });

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
