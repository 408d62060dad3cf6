import { DEFAULT_BROKER, openBroker } from "../../broker.ts";
import { amqpSettings } from "../../amqp/settings.ts";
import type { ControlConnection } from "../../control_connection.ts";
import type { Settings } from "../../settings.ts";
import type { Receiver, Transport } from "../../../runtime/message/transport.ts";
import { abortable, timeLimit } from "../../../runtime/waiting/abort.ts";
import type { Check, Findings } from "./finding.ts";

/** Options of {@linkcode brokerCheck}. */
export interface BrokerCheckOptions {
  readonly settings: Settings;
  /** URI of the broker, instead of the one that the configuration names. */
  readonly broker?: string;
}

/** Milliseconds that the broker has for one message. */
const MESSAGE_LIMIT = 4_000;

/** Milliseconds that a message waits in the test of delays. */
const DELAY = 20;

/** Milliseconds after which the broker itself removes the queue of a check whose process was killed. */
const LEFT_OVER = 60_000;

/**
 * Connects to the broker and does there what services do: declares queues, publishes, delays and consumes. The queues
 * belong to the connection and end with it.
 */
export function brokerCheck({ settings, broker }: BrokerCheckOptions): Check {
  return async (found, signal) => {
    const alarm = new AbortController();
    await using transport = await openBroker({
      settings,
      purpose: "doctor",
      signal,
      ...(broker !== undefined && { broker }),
      onStatus(status) {
        if (status.state === "blocked") alarm.abort(status.reason);
      },
      onFallback: (message) => found.warn(message),
    });
    const software = transport.software === undefined ? "" : `, ${transport.software}`;
    found.ok(`Reached ${transport.broker}${software}`);
    const queue = `rpc-enoki-doctor-${crypto.randomUUID()}`;
    const isFine = await checkMessages(transport, queue, found, AbortSignal.any([signal, alarm.signal]));
    if (isFine) await checkDelay(transport, queue, found, signal);
    if (!/^(?:py)?amqps?:/.test(transport.broker)) return;
    const uri = broker ?? settings.broker ?? DEFAULT_BROKER;
    if (settings.of(amqpSettings).options.queueType === "quorum") await checkQuorumQueue(transport, found);
    await checkManagement({ settings, uri }, found);
  };
}

/**
 * Checks the three rights of a user of RabbitMQ, and that messages pass.
 *
 * @param signal Its reason is a text if the broker takes no messages.
 */
async function checkMessages(
  transport: Transport,
  queue: string,
  found: Findings,
  signal: AbortSignal,
): Promise<boolean> {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  using limit = timeLimit(MESSAGE_LIMIT, signal);
  const since = performance.now();
  try {
    await transport.declare({ queues: [ownQueue(queue)] });
    await transport.consume(queue, acknowledge(resolve), { prefetch: 1 });
    await transport.publish(messageTo(queue), { signal: limit.signal });
    await abortable(arrived, limit.signal);
  } catch (error) {
    found.problem(
      typeof signal.reason === "string"
        ? `${transport.broker} takes no messages: ${signal.reason}. Free memory or disk on its machine, or raise its limits`
        : limit.signal.aborted
        ? `${transport.broker} has not passed on a message within ${MESSAGE_LIMIT / 1_000} s. Look at its log`
        : withRights((error as Error).message),
    );
    return false;
  }
  const took = Math.round(performance.now() - since);
  found.ok(`The user may declare, publish and consume. A message took ${took} ms`);
  return true;
}

function withRights(message: string): string {
  return /ACCESS_REFUSED/.test(message)
    ? `${message}. Give the user the right, as in rabbitmqctl set_permissions -p VHOST USER ".*" ".*" ".*"`
    : message;
}

/** Checks that a message comes out of a queue when its time is over, on which retries and delays rest. */
async function checkDelay(
  transport: Transport,
  queue: string,
  found: Findings,
  signal: AbortSignal,
): Promise<void> {
  const [target, waiting] = [`${queue}-target`, `${queue}-waiting`];
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const table = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": target };
  using limit = timeLimit(MESSAGE_LIMIT, signal);
  try {
    await transport.declare({ queues: [ownQueue(target), { ...ownQueue(waiting), arguments: table }] });
    await transport.consume(target, acknowledge(resolve), { prefetch: 1 });
    await transport.publish(messageTo(waiting, { expiration: String(DELAY) }), { signal: limit.signal });
    await abortable(arrived, limit.signal);
    found.ok("Retries and delays work: a message came back when its time was over");
  } catch (error) {
    found.warn(
      limit.signal.aborted
        ? "Retries and delays do not work: a message whose time was over has not come back. Look for policies of the vhost"
        : `Retries and delays do not work: ${withRights((error as Error).message)}`,
    );
  }
}

function acknowledge(arrived: () => void): Receiver {
  return () => {
    arrived();
    return Promise.resolve("ack");
  };
}

async function checkQuorumQueue(transport: Transport, found: Findings): Promise<void> {
  const name = `enoki-doctor-${crypto.randomUUID()}`;
  try {
    await transport.declare({
      queues: [{ name, durable: true, arguments: { "x-queue-type": "quorum", "x-expires": LEFT_OVER } }],
    });
    found.ok("The broker has quorum queues, which queue_type asks for");
  } catch (error) {
    found.problem(`${withRights((error as Error).message)}. Or set queue_type to classic`);
    return;
  }
  await transport.deleteQueue(name);
}

async function checkManagement(
  connection: Pick<ControlConnection, "settings" | "uri">,
  found: Findings,
): Promise<void> {
  const { managedQueues } = await import("../../queues.ts");
  const queues = await managedQueues(connection);
  found.ok(
    queues === undefined
      ? "No management plugin answers at the usual port: enoki queues knows the queues of services that run"
      : `The management plugin answers, and knows ${queues.length} queues`,
  );
}

function ownQueue(name: string) {
  return { name, durable: false, exclusive: true, autoDelete: true };
}

function messageTo(queue: string, properties = {}) {
  return { exchange: "", routingKey: queue, body: "enoki doctor", properties, mandatory: true };
}
