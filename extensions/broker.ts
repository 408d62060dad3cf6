/** Chooses the broker, connects to it, and says in the log what becomes of the connection. */
import { pause, timeLimit } from "../runtime/waiting/abort.ts";
import { BrokerError, ConfigurationError } from "../runtime/message/errors.ts";
import type { Clock } from "../runtime/waiting/clock.ts";
import { machineName } from "../runtime/hosting/machine_name.ts";
import { didYouMean, nearestNames } from "../runtime/service/options/nearest_names.ts";
import { OWN_PACKAGE } from "../runtime/program/own_package.ts";
import { maskTextSecrets } from "../runtime/log/secrets.ts";
import type { Log } from "../runtime/log/log.ts";
import type { Transport, TransportOptions, TransportStatus } from "../runtime/message/transport.ts";
import { extensionFailure } from "./extension_failures.ts";
import type { Settings } from "./settings.ts";

/** The URI that is tried first when nobody names a broker. */
export const DEFAULT_BROKER = "amqp://guest:guest@localhost:5672";

/** Options of {@linkcode openBroker}. */
export interface OpenBrokerOptions extends TransportOptions {
  readonly settings: Settings;
  /** URI of the broker, instead of the one that the configuration names. */
  readonly broker?: string;
  /** What the connection is for, such as the modules that are served. The pages of the broker show it. */
  readonly purpose: string;
  /** Tells when messages expire in the broker `memory:`. The other brokers have their own time. */
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /**
   * Called after each failed attempt to reach a named broker, with the milliseconds until the next attempt. Without
   * this function, the first failure is thrown.
   */
  readonly onUnreachable?: (error: BrokerError, retryIn: number) => void;
  /** Called when nobody named a broker and no RabbitMQ listens on this machine, so that `local:` is used. */
  readonly onFallback?: (message: string) => void;
}

/**
 * Makes the transport for the URI of a broker, and loads only that transport.
 *
 * The URI begins with a scheme that an extension has, or with `amqp://`, `amqps://`, `pyamqp://`, `local:` or
 * `memory:`.
 *
 * @throws {ConfigurationError} If no transport has that scheme.
 */
async function createTransport(
  uri: string,
  settings: Settings,
  purpose: string,
  { clock, ...options }: TransportOptions & Pick<OpenBrokerOptions, "clock"> = {},
): Promise<Transport> {
  const [scheme] = uri.split(":", 1);
  const { transports } = settings.extensions;
  if (Object.hasOwn(transports, scheme!)) return await transports[scheme!]!(uri, options);
  switch (scheme) {
    case "memory": {
      const { memory, sharedMemoryBroker } = await import("./memory/memory_transport.ts");
      return memory({ ...options, broker: sharedMemoryBroker(clock) });
    }
    case "local": {
      const { local } = await import("./local/mod.ts");
      return local({ ...options, address: uri });
    }
    case "amqp":
    case "amqps":
    case "pyamqp": {
      const [{ amqp }, { amqpSettings }, { withTls }] = await Promise.all([
        import("./amqp/mod.ts"),
        import("./amqp/settings.ts"),
        import("./amqp/uri.ts"),
      ]);
      const { secure, options: configured } = settings.of(amqpSettings);
      try {
        const clientProperties = clientPropertiesOf(purpose);
        return amqp(secure ? withTls(uri) : uri, { ...options, clientProperties, ...configured });
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        throw new ConfigurationError(error.message, { cause: error });
      }
    }
    default:
      throw new ConfigurationError(
        `Cannot use broker "${maskTextSecrets(uri)}": its kind is not known. ` +
          `Use amqp://…, amqps://…, local: or memory:, or name the extension that has it with --extension` +
          didYouMean(meantBy(uri, Object.keys(transports))),
      );
  }
}

/** Longest purpose in the name of a connection. */
const LONGEST_PURPOSE = 200;

/** Returns what the pages of RabbitMQ show of a connection. */
function clientPropertiesOf(purpose: string): Readonly<Record<string, string>> {
  const machine = machineName();
  return {
    product: "Enoki",
    version: OWN_PACKAGE.version,
    platform: `Deno ${Deno.version.deno}, ${Deno.build.target}`,
    information: OWN_PACKAGE.name,
    connection_name: `enoki ${purpose.slice(0, LONGEST_PURPOSE)} (${
      machine === undefined ? "" : `${machine}, `
    }pid ${Deno.pid})`,
  };
}

/**
 * Returns what a URI with a mistyped scheme, or without a scheme, may have been meant to be.
 *
 * @param others The schemes of extensions.
 */
function meantBy(uri: string, others: readonly string[]): readonly string[] {
  const [, scheme, rest] = /^([a-z\d+.-]+)(:.*)$/is.exec(maskTextSecrets(uri)) ?? [uri, uri, ""];
  if (/^:\d+(?:\/|$)/.test(rest!)) return [`amqp://${scheme}${rest}`];
  return nearestNames(scheme!, [...SCHEMES, ...others]).map((known) => {
    if (others.includes(known)) return `${known}${rest === "" ? ":" : rest}`;
    const slashes = rest!.replace(/^:?\/*/, "://");
    return known === "local" || known === "memory" ? `${known}:` : `${known}${slashes}`;
  }).slice(0, 1);
}

const SCHEMES = ["amqp", "amqps", "pyamqp", "local", "memory"];

/**
 * Connects to the named broker.
 *
 * If nobody names a broker, this connects to RabbitMQ on this machine, or else to the broker that the processes of
 * this machine share.
 *
 * @throws {ConfigurationError} If the URI of the broker makes no sense.
 * @throws {BrokerError} If the broker refuses the connection, or cannot be reached and `onUnreachable` is absent.
 */
export async function openBroker(
  { settings, broker, purpose, signal, onUnreachable, onFallback, ...options }: OpenBrokerOptions,
): Promise<Transport> {
  const connect = async (uri: string, onFailure?: OpenBrokerOptions["onUnreachable"]) => {
    const transport = await createTransport(uri, settings, purpose, options);
    const ofExtension = Object.hasOwn(settings.extensions.transports, uri.split(":", 1)[0]!);
    for (let retryIn = RETRY_STEP;; retryIn = Math.min(retryIn + RETRY_STEP, RETRY_LIMIT)) {
      try {
        await transport.connect(signal && { signal });
        return transport;
      } catch (error) {
        if (onFailure === undefined || !(error instanceof BrokerError) || error.state === "refused") {
          throw ofExtension
            ? extensionFailure(`Cannot connect to broker "${transport.broker}"`, error)
            : error;
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
    if (!await isDefaultRefused(settings)) return await connect(DEFAULT_BROKER);
  } catch (error) {
    if (!(error instanceof BrokerError) || error.state !== "unreachable") throw error;
  }
  signal?.throwIfAborted();
  onFallback?.(
    "No RabbitMQ on localhost:5672: using the local broker of this machine (choose with --broker, in a program with the option broker)",
  );
  return await connect("local:");
}

/** Says whether nothing listens where the default broker would be. Then the library for it need not load. */
async function isDefaultRefused({ extensions }: Settings): Promise<boolean> {
  const { protocol, hostname, port } = new URL(DEFAULT_BROKER);
  if (Object.hasOwn(extensions.transports, protocol.slice(0, -1))) return false;
  const { isRefused } = await import("./amqp/refused_port.ts");
  return await isRefused(hostname, Number(port));
}

/** Connects a transport of the program's own, and closes it if that fails. */
export async function connected(
  transport: Transport,
  options?: { readonly signal?: AbortSignal },
): Promise<Transport> {
  try {
    await transport.connect(options);
    return transport;
  } catch (error) {
    await transport.close();
    throw error;
  }
}

/** Milliseconds by which the wait for a named broker grows with each attempt, and the longest wait. */
const RETRY_STEP = 2_000;
const RETRY_LIMIT = 30_000;

/** Makes a listener that writes what a transport reports about its connection to the log. */
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
        log.warning(`Broker ${broker} takes no messages: ${status.reason}. Published messages wait`);
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
      case "limited":
        log.warning(
          `A handler of queue "${status.queue}" may take ${
            status.longest / 1_000
          } s, but the broker takes a ` +
            `message back after ${
              status.limit / 1_000
            } s (its consumer_timeout): another process may run it, ` +
            "too. Raise consumer_timeout at the broker and in TRANSPORT_OPTIONS, or lower the timeout",
        );
        break;
      case "refused":
        log.error(refusalText(status));
        break;
    }
  };
}

function refusalText(
  { queue, reason, retryIn }: Extract<TransportStatus, { readonly state: "refused" }>,
): string {
  const end = retryIn === undefined
    ? "It is given up: repair the cause and start the service again"
    : `Trying again in ${retryIn} ms`;
  return queue === undefined ? `${reason}. ${end}` : `${reason}. Queue "${queue}" is not consumed. ${end}`;
}

/**
 * Publishes, and limits the time that the broker has to confirm it.
 *
 * @param milliseconds The limit.
 * @param action Words for the message of the error, which begins with "Cannot".
 * @param publish Publishes the message. It must give up when its signal aborts.
 * @throws {BrokerError} If the broker does not confirm the message in time.
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
