import type { ExchangeDeclaration, ExchangeType, FieldTable } from "../../runtime/message/transport.ts";

/** Options of {@linkcode exchange}. */
export interface ExchangeOptions {
  /** @default {"direct"} */
  readonly type?: ExchangeType;
  /** Whether it survives a restart of the broker. @default {true} */
  readonly durable?: boolean;
  /** Whether it is deleted when its last binding goes. @default {false} */
  readonly autoDelete?: boolean;
  /** Such as `alternate-exchange`. @default {{}} */
  readonly arguments?: FieldTable;
}

/** An exchange to publish to or to bind queues to; plain data. */
export type Exchange = ExchangeDeclaration;

const TYPES: readonly string[] = ["direct", "topic", "fanout", "headers"];

/**
 * Describes an exchange, with kombu's defaults. It is declared where it is used.
 *
 * @throws {TypeError} If the name is empty, as that of the default exchange is, or there is no such type.
 */
export function exchange(
  name: string,
  { type = "direct", durable = true, autoDelete = false, arguments: table }: ExchangeOptions = {},
): Exchange {
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
