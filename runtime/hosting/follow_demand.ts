import type { Consumer } from "../message/transport.ts";
import type { EntrypointHost } from "./host.ts";

/**
 * Keeps the prefetch of consumers at the number of calls that their container can use.
 *
 * When that number falls, the consumers already hold more deliveries than the container can use. So the calls
 * that have not started go back to the broker.
 *
 * @param consumers Consumers whose prefetch is `host.demand`.
 */
export function followDemand(
  host: EntrypointHost,
  consumers: readonly Pick<Consumer, "setPrefetch">[],
): void {
  let current = host.demand;
  const change = async (demand: number) => {
    const isLower = demand < current;
    current = demand;
    await Promise.all(consumers.map((consumer) => consumer.setPrefetch(demand)));
    if (isLower) host.shed();
  };
  host.onDemand((demand) => host.watch(change(demand)));
}
