import type { ExchangeDeclaration, ExchangeType, FieldTable } from "../../runtime/message/transport.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";

/** Options of {@linkcode exchange}. */
export interface ExchangeOptions {
  /** How the exchange chooses queues for a message. @default {"direct"} */
  readonly type?: ExchangeType;
  /** Whether the exchange survives a restart of the broker. @default {true} */
  readonly durable?: boolean;
  /** Whether the broker deletes the exchange when its last binding goes. @default {false} */
  readonly autoDelete?: boolean;
  /** Arguments such as `alternate-exchange`. @default {{}} */
  readonly arguments?: FieldTable;
}

const OPTIONS: OptionNames<ExchangeOptions> = {
  type: true,
  durable: true,
  autoDelete: true,
  arguments: true,
};

/** An exchange to publish to or to bind queues to, as plain data. */
export type Exchange = ExchangeDeclaration;

const TYPES: readonly string[] = ["direct", "topic", "fanout", "headers"];

/**
 * Describes an exchange, with kombu's defaults. The services that use it declare it.
 *
 * @throws {TypeError} If the name is empty, as that of the default exchange is, the type does not exist, or an
 * option is not known.
 *
 * @example
 * ```ts
 * import { exchange, queue } from "@enoki/enoki";
 *
 * const logs = exchange("logs", { type: "topic" });
 * const errors = queue("errors", { exchange: logs, routingKey: "*.error" });
 * ```
 */
export function exchange(
  name: string,
  { type = "direct", durable = true, autoDelete = false, arguments: table, ...others }: ExchangeOptions = {},
): Exchange {
  requireKnown(`Cannot declare exchange "${name}"`, "it", others, OPTIONS);
  if (name === "") {
    throw new TypeError(
      "Cannot declare an exchange without a name: leave the exchange out to use the default one",
    );
  }
  if (!TYPES.includes(type)) {
    throw new TypeError(`Cannot declare exchange "${name}": type "${type}" is none of ${TYPES.join(", ")}`);
  }
  return { name, type, durable, autoDelete, ...(table && { arguments: table }) };
}
