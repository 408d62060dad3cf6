/**
 * RabbitMQ (AMQP 0-9-1) as a transport.
 *
 * @module
 */

import type { Transport } from "../../runtime/message/transport.ts";
import { type AmqpOptions, AmqpTransport } from "./transport.ts";

export type { AmqpOptions } from "./transport.ts";
export type { DefaultQueueType } from "./queue_type.ts";
export type { LoginMethod, TlsOptions } from "./link_options.ts";

/**
 * Makes a transport to the RabbitMQ at `uri`, such as `amqp://user:password@host:5672/vhost`.
 *
 * The transport does not connect yet. `amqps://` means TLS. `pyamqp://` is Nameko's name for `amqp://`. The
 * query may have options (`?heartbeat=10`), and several URIs, separated by `;` or `,`, are tried in turn.
 *
 * @throws {TypeError} If `uri` is not an AMQP URI.
 * @throws {RangeError} If a duration is negative.
 *
 * @example
 * ```ts ignore
 * import { amqp } from "@enoki/enoki/amqp";
 * import { run } from "@enoki/enoki/run";
 *
 * await using running = await run(["./orders.ts"], {
 *   broker: amqp("amqps://rabbit.internal/shop", { heartbeat: "10s" }),
 * });
 * ```
 */
export function amqp(uri: string, options: AmqpOptions = {}): Transport {
  return new AmqpTransport(uri, options);
}
