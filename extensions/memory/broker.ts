import type {
  BindingDeclaration,
  ExchangeDeclaration,
  ExchangeType,
  FieldValue,
  QueueDeclaration,
} from "../../runtime/message/transport.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import { type Clock, SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import { Alarm } from "./alarm.ts";
import { deadLetter, type DeadLetterRoute, type DeathReason, goesRound } from "./dead_letter.ts";
import { Exchange } from "./exchange.ts";
import { fieldEquals } from "./headers_match.ts";
import { Queue, type QueueKeeper } from "./queue.ts";
import { comparedArguments } from "./queue_arguments.ts";
import type { SealedMessage } from "./sealed_message.ts";
import { Stream } from "./stream.ts";

const PREDECLARED: readonly (readonly [string, ExchangeType])[] = [
  ["amq.direct", "direct"],
  ["amq.fanout", "fanout"],
  ["amq.topic", "topic"],
  ["amq.headers", "headers"],
  ["amq.match", "headers"],
];

/**
 * A memory broker is the AMQP 0-9-1 model, with RabbitMQ's classic queues and its streams, in the memory of this
 * process. A quorum queue is a classic queue here, because there is nothing to replicate it to.
 *
 * Several `memory()` transports talk to each other if you give them the same broker. The broker keeps its queues
 * and messages for as long as something refers to it. Its timers run only while a transport is connected.
 */
export class MemoryBroker implements QueueKeeper {
  /**
   * The alarm watches the deadlines of queues and messages.
   *
   * @internal
   */
  readonly alarm: Alarm;
  /** Tells when queues and messages expire. */
  readonly clock: Clock;
  readonly #exchanges = new Map<string, Exchange>();
  readonly #queues = new Map<string, Queue>();
  readonly #connections = new Set<object>();

  /**
   * Makes a broker without queues.
   *
   * @param options.clock Tells when queues and messages expire. @default {the clock of the machine}
   */
  constructor({ clock = SYSTEM_CLOCK }: { readonly clock?: Clock } = {}) {
    this.clock = clock;
    this.alarm = new Alarm(clock);
    for (const [name, type] of PREDECLARED) this.#exchanges.set(name, new Exchange({ name, type }));
  }

  /** Says whether a transport is connected. */
  get isUsed(): boolean {
    return this.#connections.size > 0;
  }

  /**
   * Registers a connection.
   *
   * @internal
   */
  join(connection: object): void {
    if (this.#connections.size === 0) this.alarm.resume();
    this.#connections.add(connection);
  }

  /**
   * Unregisters a connection and removes its exclusive queues.
   *
   * @internal
   */
  leave(connection: object): void {
    for (const queue of this.#queues.values()) {
      if (queue.owner === connection) this.remove(queue);
    }
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.alarm.pause();
  }

  /**
   * Declares an exchange, as a transport asks for it.
   *
   * @throws {BrokerError} If an exchange of that name has other properties, or the broker reserves the name.
   *
   * @internal
   */
  declareExchange(declaration: ExchangeDeclaration): void {
    const { name, type, durable = true, autoDelete = false } = declaration;
    const known = this.#exchanges.get(name)?.declaration;
    if (known === undefined) {
      refuseReserved("exchange", name);
      if (declaration.arguments?.["alternate-exchange"] !== undefined) {
        throw new BrokerError(
          `Cannot declare exchange "${name}": the embedded broker has no alternate-exchange. Use RabbitMQ, or leave it out`,
        );
      }
      this.#exchanges.set(name, new Exchange(declaration));
      return;
    }
    expectSame(`exchange "${name}"`, "type", known.type, type);
    expectSame(`exchange "${name}"`, "durable", known.durable ?? true, durable);
    expectSame(`exchange "${name}"`, "autoDelete", known.autoDelete ?? false, autoDelete);
  }

  /**
   * Declares a queue, as a transport asks for it.
   *
   * @throws {BrokerError} If a queue of that name has other properties or is exclusive to another connection.
   *
   * @internal
   */
  declareQueue(declaration: QueueDeclaration, connection: object): void {
    const { name, durable = true, exclusive = false, autoDelete = false } = declaration;
    const queue = this.#queues.get(name);
    if (queue === undefined) {
      refuseReserved("queue", name);
      const Kind = declaration.arguments?.["x-queue-type"] === "stream" ? Stream : Queue;
      this.#queues.set(name, new Kind(declaration, exclusive ? connection : undefined, this));
      return;
    }
    refuseForeign("declare", queue, connection);
    const known = queue.declaration;
    expectSame(`queue "${name}"`, "durable", known.durable ?? true, durable);
    expectSame(`queue "${name}"`, "exclusive", known.exclusive ?? false, exclusive);
    expectSame(`queue "${name}"`, "autoDelete", known.autoDelete ?? false, autoDelete);
    const [before, now] = [comparedArguments(known.arguments), comparedArguments(declaration.arguments)];
    for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
      expectSame(`queue "${name}"`, `argument ${key}`, before[key] ?? null, now[key] ?? null);
    }
    queue.renew();
  }

  /**
   * Binds a queue to an exchange.
   *
   * @throws {BrokerError} If the queue or the exchange does not exist.
   *
   * @internal
   */
  bind(binding: BindingDeclaration, connection: object): void {
    const exchange = this.#exchanges.get(binding.exchange);
    if (exchange === undefined) {
      const state = binding.exchange === ""
        ? "the default exchange takes no bindings. Choose another exchange"
        : "the exchange does not exist. Declare the exchange first";
      throw new BrokerError(
        `Cannot bind queue "${binding.queue}" to exchange "${binding.exchange}": ${state}`,
      );
    }
    exchange.bind(this.queue(binding.queue, "bind", connection), binding);
  }

  /**
   * Gives the queue of a name.
   *
   * @throws {BrokerError} If the queue does not exist or is exclusive to another connection.
   *
   * @internal
   */
  queue(name: string, action: string, connection: object): Queue {
    const queue = this.#queues.get(name);
    if (queue === undefined) {
      throw new BrokerError(`Cannot ${action} queue "${name}": it does not exist. Declare it first`);
    }
    refuseForeign(action, queue, connection);
    return queue;
  }

  /**
   * Counts the messages that wait in a queue.
   *
   * @throws {BrokerError} If the queue is exclusive to another connection.
   *
   * @internal
   */
  countMessages(name: string, connection: object): number | undefined {
    return this.#queues.has(name) ? this.queue(name, "count messages of", connection).waiting : undefined;
  }

  /**
   * Counts the messages that the consumers of a queue hold; 0 if there is no such queue.
   *
   * @internal
   */
  countHeld(name: string): number {
    return this.#queues.get(name)?.held ?? 0;
  }

  /**
   * Deletes a queue, if there is one.
   *
   * @throws {BrokerError} If the queue is exclusive to another connection.
   *
   * @internal
   */
  deleteQueue(name: string, connection: object): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    refuseForeign("delete", queue, connection);
    this.remove(queue);
  }

  /**
   * Gives a message to all queues that take it, and returns false if no queue does.
   *
   * @throws {BrokerError} If the exchange does not exist.
   *
   * @internal
   */
  route(message: SealedMessage): boolean {
    if (message.exchange === "") {
      const queue = this.#queues.get(message.routingKey);
      queue?.accept(message);
      return queue !== undefined;
    }
    const exchange = this.#exchanges.get(message.exchange);
    if (exchange === undefined) {
      throw new BrokerError(
        `Cannot publish to exchange "${message.exchange}": it does not exist. Declare it first`,
      );
    }
    const queues = exchange.route(message);
    for (const queue of queues) queue.accept(message);
    return queues.length > 0;
  }

  /**
   * Sends a message that has died on to where its queue lets dead letters go.
   *
   * @internal
   */
  bury(message: SealedMessage, from: Queue, reason: DeathReason, route: DeadLetterRoute): void {
    const letter = deadLetter(message, from.name, reason, route, new Date(this.clock.now()));
    for (const queue of this.#destinations(letter)) {
      if (reason === "rejected" || !goesRound(letter, queue.name)) queue.accept(letter);
    }
  }

  /**
   * Removes a queue and its bindings.
   *
   * @internal
   */
  remove(queue: Queue): void {
    this.#queues.delete(queue.name);
    queue.discard();
    for (const [name, exchange] of this.#exchanges) {
      if (exchange.unbind(queue) && !exchange.bound && exchange.declaration.autoDelete === true) {
        this.#exchanges.delete(name);
      }
    }
  }

  #destinations(letter: SealedMessage): readonly Queue[] {
    if (letter.exchange !== "") return this.#exchanges.get(letter.exchange)?.route(letter) ?? [];
    const queue = this.#queues.get(letter.routingKey);
    return queue === undefined ? [] : [queue];
  }
}

function refuseReserved(kind: string, name: string): void {
  if (name !== "" && !name.startsWith("amq.")) return;
  throw new BrokerError(
    `Cannot declare ${kind} "${name}": the broker reserves it. Choose one without "amq."`,
  );
}

function refuseForeign(action: string, queue: Queue, connection: object): void {
  if (queue.owner === undefined || queue.owner === connection) return;
  throw new BrokerError(
    `Cannot ${action} queue "${queue.name}": the queue is exclusive to another connection. Choose another name`,
  );
}

function expectSame(
  what: string,
  property: string,
  known: FieldValue,
  wanted: FieldValue,
): void {
  if (fieldEquals(known, wanted)) return;
  throw new BrokerError(
    `Cannot declare ${what}: it already exists with ${property} ${JSON.stringify(known)}, not ${
      JSON.stringify(wanted)
    }. ` +
      "Declare it with the same properties, or delete it first",
  );
}
