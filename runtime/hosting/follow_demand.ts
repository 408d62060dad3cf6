import type { Consumer } from "../message/transport.ts";
import type { EntrypointHost } from "./host.ts";

/**
 * Has consumers hold as many deliveries as their container can make use of, from now on.
 *
 * A lower prefetch leaves more here than can be used: the calls that have not started go back to the broker.
 *
 * @param consumers They hold `host.demand` deliveries each.
 */
export function followDemand(host: EntrypointHost, consumers: readonly Consumer[]): void {
  let current = host.demand;
  const change = async (demand: number) => {
    const isLower = demand < current;
    current = demand;
    await Promise.all(consumers.map((consumer) => consumer.setPrefetch(demand)));
    if (isLower) host.shed();
  };
  host.onDemand((demand) => host.watch(change(demand)));
}
