/**
 * RPC by hand: a request names the queue for its answer, and the answer repeats the request's correlation id. With
 * `rpc()` and `client()` all this is done for you; do it yourself to talk to programs that do it this way.
 *
 * ```sh
 * deno run -A cli.ts run ./examples/tutorials/rpc/server.ts
 * deno run -A examples/tutorials/rpc/client.ts 30
 * ```
 */
import { consume, publisher, queue, service } from "@enoki/enoki";

export default service("fibonacci", {
  dependencies: { reply: publisher<number>() },
  entrypoints: {
    compute: consume<number>(queue("rpc_queue"), { prefetch: 1 }),
  },
  handlers: {
    compute: ({ reply }, n, { properties: { replyTo, correlationId } }) =>
      reply(fibonacci(n), { routingKey: replyTo, correlationId }),
  },
});

function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
