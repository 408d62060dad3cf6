import { pause, timeLimit } from "../runtime/waiting/abort.ts";
import { BrokerError, ConfigurationError } from "../runtime/message/errors.ts";
import { maskTextSecrets } from "../runtime/log/secrets.ts";
import type { Log } from "../runtime/log/log.ts";
import type { Transport, TransportOptions, TransportStatus } from "../runtime/message/transport.ts";
import type { Settings } from "./settings.ts";

/** Where RabbitMQ is looked for when nobody names a broker. */
const DEFAULT_BROKER = "amqp://guest:guest@localhost:5672";

/** Options of {@linkcode openBroker}. */
export interface OpenBrokerOptions extends TransportOptions {
  readonly settings: Settings;
  /** URI of the broker, instead of the one that the configuration names. */
  readonly broker?: string;
  readonly signal?: AbortSignal;
  /**
   * Called after each attempt to reach a named broker that does not answer, with the milliseconds until the
   * next. Without it, the first failure is thrown.
   */
  readonly onUnreachable?: (error: BrokerError, retryIn: number) => void;
  /** Called when no broker was named and none listens, so that `local:` is used. */
  readonly onFallback?: (message: string) => void;
}

/**
 * Makes the transport for a broker's URI, and loads no other kind: `amqp://`, `amqps://`, `pyamqp://`, `local:`, `local:NAME` or `memory:`.
 *
 * @throws {ConfigurationError} If there is no such kind of broker.
 */
async function createTransport(
  uri: string,
  settings: Settings,
  options: TransportOptions = {},
): Promise<Transport> {
  const [scheme] = uri.split(":", 1);
  switch (scheme) {
    case "memory": {
      const { memory, sharedMemoryBroker } = await import("./memory/memory_transport.ts");
      return memory({ ...options, broker: sharedMemoryBroker() });
    }
    case "local": {
      const { local } = await import("./local/mod.ts");
      return local({ ...options, address: uri });
    }
    case "amqp":
    case "amqps":
    case "pyamqp": {
      const [{ amqp }, { amqpSettings }] = await Promise.all([
        import("./amqp/mod.ts"),
        import("./amqp/settings.ts"),
      ]);
      const { secure, options: configured } = settings.of(amqpSettings);
      try {
        return amqp(secure ? uri.replace(/^(?:py)?amqp:/, "amqps:") : uri, { ...options, ...configured });
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        throw new ConfigurationError(error.message, { cause: error });
      }
    }
    default:
      throw new ConfigurationError(
        `Cannot use broker "${maskTextSecrets(uri)}": its kind is not known. ` +
          "Use amqp://…, amqps://…, local: or memory:",
      );
  }
}

/**
 * Connects to the named broker. Where none is named: to RabbitMQ on this machine, or else to the broker that the
 * processes of this machine share.
 *
 * @throws {ConfigurationError} If the broker's URI makes no sense.
 * @throws {BrokerError} If the broker refuses us, or cannot be reached and is not waited for.
 */
export async function openBroker(
  { settings, broker, signal, onUnreachable, onFallback, ...options }: OpenBrokerOptions,
): Promise<Transport> {
  const connect = async (uri: string, onFailure?: OpenBrokerOptions["onUnreachable"]) => {
    const transport = await createTransport(uri, settings, options);
    for (let retryIn = RETRY_STEP;; retryIn = Math.min(retryIn + RETRY_STEP, RETRY_LIMIT)) {
      try {
        await transport.connect(signal && { signal });
        return transport;
      } catch (error) {
        if (onFailure === undefined || !(error instanceof BrokerError) || error.state === "refused") {
          throw error;
        }
        signal?.throwIfAborted();
        onFailure(error, retryIn);
        await pause(retryIn, signal);
      }
    }
  };
  const named = broker ?? settings.broker;
  if (named !== undefined) return await connect(named, onUnreachable);
  try {
    return await connect(DEFAULT_BROKER);
  } catch (error) {
    if (!(error instanceof BrokerError) || error.state !== "unreachable") throw error;
    onFallback?.(
      "No RabbitMQ on localhost:5672: using the local broker of this machine (choose with --broker)",
    );
    return await connect("local:");
  }
}

/** Milliseconds by which the wait for a named broker grows, and its limit. */
const RETRY_STEP = 2_000;
const RETRY_LIMIT = 30_000;

/** Logs what a transport reports of its connection. */
export function logStatus(log: Log): (status: TransportStatus) => void {
  let lost = false;
  return (status) => {
    const { broker } = status;
    switch (status.state) {
      case "lost": {
        const news = lost && status.reason.startsWith("Cannot ")
          ? status.reason
          : `Lost broker ${broker}: ${status.reason}`;
        log.warning(`${news}. Trying again in ${status.retryIn} ms`);
        lost = true;
        break;
      }
      case "connected":
        if (lost) log.info(`Connected to broker ${broker} again`);
        lost = false;
        break;
      case "blocked":
        log.warning(`Broker ${broker} takes no messages: ${status.reason}. What is published waits`);
        break;
      case "unblocked":
        log.info(`Broker ${broker} takes messages again`);
        break;
      case "held":
        log.warning(
          `Cannot consume queue "${status.queue}" yet: the broker has not given up the connection that was lost. ` +
            `Trying every ${status.retryIn} ms`,
        );
        break;
      case "regained":
        log.info(`Consumes queue "${status.queue}" again`);
        break;
      case "interrupted":
        log.warning(
          `The broker ended a consumer of queue "${status.queue}": ${status.reason}. It is resumed`,
        );
        break;
    }
  };
}

/**
 * Publishes, and waits for the broker's confirm for so many milliseconds.
 *
 * @param action What is done, as it goes on after "Cannot".
 * @param publish Must give up when its signal aborts.
 * @throws {BrokerError} If the time is over.
 */
export async function confirmWithin(
  milliseconds: number,
  action: string,
  publish: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  using limit = timeLimit(milliseconds);
  try {
    await publish(limit.signal);
  } catch (error) {
    if (!limit.signal.aborted || error !== limit.signal.reason) throw error;
    throw new BrokerError(
      `Cannot ${action}: the broker did not confirm it within ${milliseconds / 1_000} s. ` +
        "Check whether it blocks publishers, or allow more time",
      { cause: error },
    );
  }
}
