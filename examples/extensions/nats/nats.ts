/**
 * A transport over NATS: `--extension ./examples/extensions/nats/nats.ts --broker nats://127.0.0.1:4222`.
 *
 * @module
 */
import { extension } from "@enoki/enoki/hosting";
import { NatsTransport } from "./transport.ts";

export { NatsTransport } from "./transport.ts";
export type { NatsOptions } from "./transport.ts";

export default extension({
  /** `NATS_REPLICAS` is a number of servers. `NATS_ACK_WAIT` is in seconds. */
  settings(at) {
    const replicas = at.integer("NATS_REPLICAS", 1);
    const ackWait = at.milliseconds("NATS_ACK_WAIT");
    return { ...(replicas !== undefined && { replicas }), ...(ackWait !== undefined && { ackWait }) };
  },
  transports: {
    nats: (uri, options, settings) => new NatsTransport(uri, { ...options, ...settings }),
  },
});
