/** The entries of the registry that describe exchanges and queues. */
import type { BindingDeclaration, ExchangeType } from "@enoki/enoki/hosting";
import { encoded } from "./names.ts";
import type { QueueArguments } from "./queue_arguments.ts";

/** The entry of an exchange. */
export interface ExchangeRecord {
  readonly name: string;
  readonly type: ExchangeType;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly bindings: readonly Binding[];
}

/** A binding of one exchange. */
export type Binding = Omit<BindingDeclaration, "exchange">;

/** The entry of a queue. */
export interface QueueRecord {
  readonly name: string;
  /** Name of the stream that holds its messages. */
  readonly stream: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: QueueArguments;
  /** Id of the session that an exclusive queue belongs to. */
  readonly owner?: string;
  /** Names of the exchanges that it is bound to. */
  readonly exchanges: readonly string[];
  readonly consumers: readonly ConsumerRecord[];
  /** Whether it ever had a consumer. */
  readonly used: boolean;
}

/** One consumer of a queue. */
export interface ConsumerRecord {
  readonly id: string;
  readonly session: string;
  readonly exclusive: boolean;
}

/** The key of an exchange's entry. */
export function exchangeKey(exchange: string): string {
  return `exchange.${encoded(exchange)}`;
}

/** The key of a queue's entry. */
export function queueKey(queue: string): string {
  return `queue.${encoded(queue)}`;
}

/** The key of the entry that says that a queue needs a caretaker. */
export function timedKey(queue: string): string {
  return `timed.${encoded(queue)}`;
}

/** Says whether a queue or its messages may end by themselves. */
export function isTimed({ autoDelete, owner, arguments: args }: QueueRecord): boolean {
  return autoDelete || owner !== undefined || Object.keys(args).length > 0;
}
