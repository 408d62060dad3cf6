/**
 * RPC over a plain queue: a request names the queue for its answer, and the answer repeats the request's correlation
 * id. With `rpc()` and `client()` services call each other by name; this is for programs that know neither Nameko nor
 * Enoki, such as the client of RabbitMQ's tutorial.
 *
 * ```sh
 * deno run -A cli.ts run ./examples/tutorials/rpc/server.ts
 * deno run -A cli.ts run ./examples/tutorials/rpc/client.ts
 * deno run -A cli.ts call fibonacci_client.show 30
 * ```
 */
import { consume, queue, service } from "@enoki/enoki";

export default service("fibonacci", {
  entrypoints: {
    compute: consume<number | Uint8Array>(queue("rpc_queue"), {
      prefetch: 1,
      reply: true,
      expected: ["RangeError"],
    }),
  },
  handlers: {
    // The tutorial's own client sends the number as text, without a content type: it comes as bytes.
    compute: (_context, n) => fibonacci(n instanceof Uint8Array ? Number(new TextDecoder().decode(n)) : n),
  },
});

function fibonacci(n: number): number {
  if (!(Number.isInteger(n) && n >= 0 && n <= 40)) throw new RangeError(`Cannot compute fibonacci(${n})`);
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
