/**
 * The client of `server.ts`, a program of its own that speaks to the broker itself.
 */
import { amqp } from "@enoki/enoki/amqp";
import type { Transport } from "@enoki/enoki/run";

/** Asks for a Fibonacci number. */
export async function fibonacci(transport: Transport, n: number): Promise<number> {
  const replyTo = `fibonacci-${crypto.randomUUID()}`;
  const correlationId = crypto.randomUUID();
  const answer = Promise.withResolvers<number>();
  await transport.declare({ queues: [{ name: replyTo, exclusive: true, autoDelete: true }] });
  await using _consumer = await transport.consume(replyTo, ({ body, properties }) => {
    if (properties.correlationId === correlationId) {
      answer.resolve(JSON.parse(new TextDecoder().decode(body)));
    }
    return Promise.resolve("ack");
  }, { prefetch: 1 });
  await transport.publish({
    exchange: "",
    routingKey: "rpc_queue",
    body: JSON.stringify(n),
    properties: { contentType: "application/json", replyTo, correlationId },
    mandatory: true,
  });
  return await answer.promise;
}

if (import.meta.main) {
  await using transport = amqp("amqp://localhost");
  await transport.connect();
  // deno-lint-ignore no-console -- what a program is for
  console.log(await fibonacci(transport, Number(Deno.args[0] ?? 30)));
}
