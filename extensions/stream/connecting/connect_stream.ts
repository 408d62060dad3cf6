import { type Duration, requireDuration } from "../../../runtime/waiting/duration.ts";
import type { StreamConnection } from "../calls/connection.ts";
import type { StreamLoss } from "../conversation/loss.ts";
import type { DataOf, FrameFormat, Framing, WritableOf } from "../framing/frame.ts";
import {
  ADDRESS_FORMS,
  formatEnd,
  parseStreamAddress,
  type StreamAddress,
} from "../listening/stream_address.ts";
import { DEFAULT_LIMITS, type StreamLimitOptions } from "../settings.ts";
import { checkFormat, frameFormat } from "../stream_options.ts";
import { within } from "../../../runtime/waiting/abort.ts";
import { type AnyStreamHandlers, ClientConnection } from "./client_connection.ts";
import { ConnectionFailedError } from "./connection_failed_error.ts";

/** What is done with a connection. The handlers run one at a time, in the order of what happens. */
export interface StreamHandlers<Kind extends Framing, State> {
  /** Called once, before all others. */
  connected?(connection: StreamConnection<WritableOf<Kind>, State>): unknown;
  /** Called for each line, piece of bytes, or frame. */
  received?(connection: StreamConnection<WritableOf<Kind>, State>, data: DataOf<Kind>): unknown;
  /** Called once, after all others. A connection that never came about is not lost: see `connectStream`. */
  lost?(connection: StreamConnection<WritableOf<Kind>, State>, reason: StreamLoss): unknown;
}

/** Options of {@linkcode connectStream}. */
export interface ConnectStreamOptions<Kind extends Framing, State extends object>
  extends Omit<StreamLimitOptions, "maxConnections">, Partial<Omit<FrameFormat, "framing">> {
  /** How the bytes of a connection become messages. @default {"bytes"} */
  readonly framing?: Kind;
  /** The first state of the connection. @default {{}} */
  readonly state?: State;
  /** Milliseconds until the connection must have come about. @default {30_000} */
  readonly timeout?: Duration;
  /** Certificates of authorities, as PEM, that are trusted beside those of the system. @default {[]} */
  readonly caCerts?: readonly string[];
  /** Aborting it ends the attempt, or cuts the connection. */
  readonly signal?: AbortSignal;
}

/** A connection that this side has opened. Disposing it closes it and waits for its end. */
export interface StreamClient<Kind extends Framing, State>
  extends StreamConnection<WritableOf<Kind>, State>, AsyncDisposable {
  /** Resolves with the reason after `lost`. Rejects with the error of a handler, if one has failed. */
  readonly ended: Promise<StreamLoss>;
}

/**
 * Connects to `tcp://host:port`, `tls://host:port` or `unix:/path`, and lets handlers talk.
 *
 * A connection that does not come about rejects with {@linkcode ConnectionFailedError}. One that came about
 * ends with `lost`, and nothing connects it again. A service needs the permission for the network.
 *
 * @throws {ConnectionFailedError} If the connection does not come about.
 * @throws {TypeError} If the address or an option is not what it has to be.
 * @throws {RangeError} If a duration is none.
 *
 * @example
 * ```ts ignore
 * import { connectStream } from "@enoki/enoki/stream";
 *
 * const echo = await connectStream("tcp://localhost:7007", {
 *   connected: (connection) => connection.write("hello"),
 *   received(connection, line) {
 *     console.log(line);
 *     connection.close();
 *   },
 * }, { framing: "lines" });
 * await echo.ended;
 * ```
 */
export async function connectStream<
  const Kind extends Framing = "bytes",
  State extends object = Record<string, unknown>,
>(
  url: string,
  handlers: StreamHandlers<Kind, State> = {},
  options: ConnectStreamOptions<Kind, State> = {},
): Promise<StreamClient<Kind, State>> {
  const { caCerts = [], signal, state = {} } = options;
  const timeout = requireDuration(`Cannot connect to ${url}`, "timeout", options.timeout ?? 30_000);
  const idleTimeout = requireDuration(
    `Cannot connect to ${url}`,
    "idleTimeout",
    options.idleTimeout ?? DEFAULT_LIMITS.idleTimeout,
  );
  const address = parseStreamAddress(url);
  if (address === undefined) throw new TypeError(`Cannot connect to "${url}": it is not ${ADDRESS_FORMS}`);
  checkFormat(options as Partial<FrameFormat>, (reason) => {
    throw new TypeError(`Cannot connect to ${url}: ${reason}`);
  });
  const duplex = await open(url, address, caCerts, timeout, signal);
  const client: unknown = new ClientConnection({
    ...DEFAULT_LIMITS,
    ...options,
    idleTimeout,
    duplex,
    format: frameFormat(options as Partial<FrameFormat>),
    // The handlers' types say what the framing makes of bytes, and the framing is what makes it.
    handlers: handlers as AnyStreamHandlers,
    peer: formatEnd(address.scheme, duplex.remoteAddr),
    host: formatEnd(address.scheme, duplex.localAddr),
    state,
    signal,
  });
  return client as StreamClient<Kind, State>;
}

async function open(
  url: string,
  address: StreamAddress,
  caCerts: readonly string[],
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Deno.Conn> {
  signal?.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const opening = dial(address, caCerts);
  try {
    const isOpen = await within(timeout, Promise.race([opening, aborted]));
    if (isOpen) return await opening;
  } catch (error) {
    closeLate(opening);
    if (signal?.aborted) throw signal.reason;
    throw new ConnectionFailedError(url, reasonOf(error), { cause: error });
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  closeLate(opening);
  throw new ConnectionFailedError(url, `nobody answered within ${timeout} ms`);
}

async function dial(address: StreamAddress, caCerts: readonly string[]): Promise<Deno.Conn> {
  if (address.scheme === "unix") return await Deno.connect({ transport: "unix", path: address.path });
  const { hostname, port } = address;
  if (address.scheme === "tcp") {
    const connection = await Deno.connect({ hostname, port });
    connection.setNoDelay();
    return connection;
  }
  const connection = await Deno.connectTls({ hostname, port, caCerts: [...caCerts] });
  try {
    await connection.handshake();
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** Closes a connection that comes about when nobody waits for it any more. */
function closeLate(opening: Promise<Deno.Conn>): void {
  opening.then((connection) => connection.close()).catch(() => {});
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "nobody listens there";
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.NotCapable) return `it is not permitted: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
