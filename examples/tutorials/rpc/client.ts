/** The client of `server.ts`, and of the server of RabbitMQ's tutorial. */
import { requester, rpc, service } from "@enoki/enoki";

export default service("fibonacci_client", {
  dependencies: { fibonacci: requester<number, number>({ routingKey: "rpc_queue", timeout: 10_000 }) },
  entrypoints: { show: rpc() },
  handlers: { show: ({ fibonacci }, n: number) => fibonacci(n) },
});
