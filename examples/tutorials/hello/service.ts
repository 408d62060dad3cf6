/**
 * One sender, one queue, one receiver.
 *
 * ```sh
 * deno run -A cli.ts run ./examples/tutorials/hello/service.ts
 * deno run -A cli.ts call hello.send "Hello World!"
 * ```
 */
import { consume, publisher, queue, rpc, service } from "@enoki/enoki";

const hello = queue("hello");

export default service("hello", {
  dependencies: {
    // Without an exchange, the routing key is the name of a queue. Declared here, too, it is there before anybody
    // receives from it.
    publish: publisher<string>({ routingKey: hello.name, declare: [hello] }),
  },
  entrypoints: {
    send: rpc(),
    receive: consume<string>(hello),
  },
  handlers: {
    send: ({ publish }, text: string) => publish(text),
    receive({ call }, text) {
      call.log.info("received", { text });
    },
  },
});
