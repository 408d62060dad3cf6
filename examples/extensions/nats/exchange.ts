/** An exchange is an entry of the registry. A publisher reads it and chooses the queues itself. */
import { BrokerError } from "@enoki/enoki";
import type { BindingDeclaration, ExchangeDeclaration } from "@enoki/enoki/hosting";
import { exchangeKey, type ExchangeRecord, queueKey, type QueueRecord } from "./records.ts";
import type { Session } from "./session.ts";

/** @throws {BrokerError} If there is such an exchange with other properties. */
export async function declareExchange(
  { registry }: Session,
  { name, type, durable = true, autoDelete = false, arguments: args = {} }: ExchangeDeclaration,
): Promise<void> {
  if (Object.keys(args).length > 0) {
    throw new BrokerError(
      `Cannot declare exchange "${name}": exchanges over NATS take no arguments. Leave ${
        Object.keys(args)
      } out`,
    );
  }
  await registry.change<ExchangeRecord>(exchangeKey(name), (entry) => {
    if (entry === undefined) return { put: { name, type, durable, autoDelete, bindings: [] } };
    const { value: there } = entry;
    if (there.type === type && there.durable === durable && there.autoDelete === autoDelete) return "keep";
    const { bindings: _bindings, ...properties } = there;
    throw new BrokerError(
      `Cannot declare exchange "${name}": it is there with other properties, ${
        JSON.stringify(properties)
      }. ` +
        "Declare it as it is",
    );
  });
}

/** @throws {BrokerError} If there is no such queue or exchange. */
export async function bind(session: Session, { exchange, ...binding }: BindingDeclaration): Promise<void> {
  const { registry } = session;
  const refuse = (missing: string): never => {
    throw new BrokerError(
      `Cannot bind queue "${binding.queue}" to exchange "${exchange}": there is no such ${missing}. Declare it first`,
    );
  };
  // The queue's record names the exchange first, so whoever removes the queue finds the binding.
  await registry.change<QueueRecord>(queueKey(binding.queue), (entry) => {
    const record = entry?.value ?? refuse("queue");
    if (record.exchanges.includes(exchange)) return "keep";
    return { put: { ...record, exchanges: [...record.exchanges, exchange] } };
  });
  await registry.change<ExchangeRecord>(exchangeKey(exchange), (entry) => {
    const record = entry?.value ?? refuse("exchange");
    const text = JSON.stringify(binding);
    if (record.bindings.some((each) => JSON.stringify(each) === text)) return "keep";
    return { put: { ...record, bindings: [...record.bindings, binding] } };
  });
}

/** Takes away all bindings of a queue to an exchange. */
export async function unbind({ registry }: Session, exchange: string, queue: string): Promise<void> {
  await registry.change<ExchangeRecord>(exchangeKey(exchange), (entry) => {
    if (entry === undefined) return "keep";
    const bindings = entry.value.bindings.filter((binding) => binding.queue !== queue);
    if (bindings.length === entry.value.bindings.length) return "keep";
    if (bindings.length === 0 && entry.value.autoDelete) return "remove";
    return { put: { ...entry.value, bindings } };
  });
}
