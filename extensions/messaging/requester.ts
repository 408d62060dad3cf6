import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import { encodeCallHeaders } from "../../runtime/message/call_headers.ts";
import { bodyText, decodeJson } from "../../runtime/message/codec.ts";
import { ERROR_TYPE, toError } from "../../runtime/message/error_object.ts";
import { CallTimeoutError, RemoteError } from "../../runtime/message/errors.ts";
import { given, isRecord, type Plain, type PlainRecord } from "../../runtime/message/plain.ts";
import { hasOpaque } from "../../runtime/message/field_table.ts";
import { DEFAULT_PAYLOADS, type Payloads } from "../../runtime/message/payload/payloads.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import { sendThrough } from "../../runtime/service/hook.ts";
import {
  type AcceptedSerializers,
  acceptedSerializers,
  decodePayload,
} from "../../runtime/service/payload_conversion.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import { SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import type { Exchange } from "./exchange.ts";
import { type Frame, readFrame, writeFrame } from "./frame.ts";
import { lateReply } from "./late_reply.ts";
import { outgoingMessage } from "./outgoing_message.ts";
import { topologyOf } from "./publisher.ts";
import { nameOf, type Queue } from "./queue.ts";

/** Options of one request. */
export interface RequesterCallOptions {
  /** Routing key. For the default exchange, it is the name of a queue. @default {""} */
  readonly routingKey?: string;
  /**
   * Milliseconds to wait for the answer. The wait never passes the deadline of the call in progress.
   *
   * @default {the configured `call_timeout`, 30 seconds}
   */
  readonly timeout?: Duration;
  /** Headers of the request. Context data wins over them. @default {{}} */
  readonly headers?: FieldTable;
  /** Aborting ends the wait. A request that has not been sent is not sent any more. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode requester} for all requests. The options of a single request win over them. */
export interface RequesterOptions extends Omit<RequesterCallOptions, "signal"> {
  /** An exchange or the name of one that somebody else declares. @default {the default exchange} */
  readonly exchange?: Exchange | string;
  /** Writes the payload, and reads a reply that states no content type. @default {JSON} */
  readonly serializer?: Serializer;
  /** Serializers that read replies of content types other than JSON, text and bytes. @default {[]} */
  readonly serializers?: readonly Serializer[];
  /** More exchanges and queues to declare before anything is sent. @default {[]} */
  readonly declare?: readonly (Exchange | Queue)[];
}

const OPTIONS: OptionNames<RequesterOptions> = {
  exchange: true,
  routingKey: true,
  timeout: true,
  headers: true,
  serializer: true,
  serializers: true,
  declare: true,
};

/**
 * Sends a request, and resolves with what the reply to it says.
 *
 * The request carries the call id stack, the context data and the deadline of the call in progress.
 *
 * @throws {UnroutableError} At once, if no queue takes the request.
 * @throws {CallTimeoutError} If no answer comes in time.
 * @throws {RemoteError} If the reply has the property `type` "error", or cannot be read.
 * @throws {TypeError} If the payload or a header cannot be written.
 * @throws {RangeError} If the timeout is not a positive number.
 */
export type Requester<Req, Res> = (payload: Req, options?: RequesterCallOptions) => Promise<Res>;

/**
 * Declares a dependency that sends requests to queues, and waits for the replies: RPC with peers that know neither
 * Nameko nor Enoki.
 *
 * A request names a queue for its reply (`replyTo`) and an id (`correlationId`), which the reply repeats. One queue of
 * the process takes all replies. It is exclusive, so it goes with the connection: a reply that comes while the
 * connection is lost is lost, too, and its request ends with its time limit.
 *
 * @example
 * ```ts
 * import { requester, rpc, service } from "@enoki/enoki";
 *
 * export default service("calculator", {
 *   dependencies: { fibonacci: requester<number, number>({ routingKey: "rpc_queue", timeout: 5_000 }) },
 *   entrypoints: { show: rpc() },
 *   handlers: { show: ({ fibonacci }, n: number) => fibonacci(n) },
 * });
 * ```
 *
 * @throws {RangeError} If the timeout is not a positive number.
 * @throws {TypeError} If an option is not known.
 */
export function requester<Req = unknown, Res = unknown>(
  { declare = [], serializers = [], ...defaults }: RequesterOptions = {},
): DependencySpec<Requester<Req, Res>> {
  requireKnown("Cannot make a requester", "it", defaults, OPTIONS);
  if (defaults.timeout !== undefined) requireTimeout(defaults.timeout);
  const exchange = nameOf(defaults.exchange ?? "");
  const options = { exchange, topology: topologyOf(defaults.exchange, declare) } as unknown as PlainRecord;
  return dependency({
    kind: "requester",
    options,
    bind({ ask, outgoing = [], callTimeout, payloads = DEFAULT_PAYLOADS, clock = SYSTEM_CLOCK }) {
      const { serializer = payloads.serializer } = defaults;
      const accepted = acceptedSerializers([serializer, ...serializers], payloads);
      return {
        get: (call) => async (payload, own = {}) => {
          const { routingKey = "", signal, ...others } = { ...given(defaults), ...given(own) };
          const timeout = requireTimeout(others.timeout ?? callTimeout);
          const headers = { ...defaults.headers, ...own.headers };
          const leaveOut = (key: string) =>
            call.log.warning(
              `Left out header "${key}" of a request to "${routingKey}": a requester sends neither dates nor bytes`,
            );
          const send = async (data: FieldTable): Promise<unknown> => {
            const now = clock.now();
            const deadline = Math.min(now + timeout, call.deadline ?? Infinity);
            if (deadline <= now) {
              throw new CallTimeoutError(`Cannot send a request to "${routingKey}": the deadline has passed`);
            }
            const context = encodeCallHeaders({ stack: call.stack, data, deadline }, now);
            const plain = {
              headers: plainFields(headers, leaveOut),
              context: plainFields(context, leaveOut),
            };
            const { body, properties } = outgoingMessage(
              payload,
              { exchange, serializer, headers: plain.headers },
              plain.context,
            );
            const facts = {
              ...properties as Readonly<Record<string, Plain>>,
              routingKey,
              timeout: deadline - now,
            };
            const waiting = { timeout: deadline - now, ...(signal && { signal }) };
            const reply = await ask(writeFrame({ facts, body }), waiting).catch((error) => {
              // The wait in this process may be over before the main thread has seen that its own is.
              throw error instanceof CallTimeoutError ? lateReply({ exchange, routingKey }, timeout) : error;
            });
            return await read(readFrame(reply), accepted, serializer, payloads);
          };
          const sent = { kind: "message", exchange, routingKey, payload, headers: call.headers } as const;
          return await sendThrough(outgoing, sent, send) as Res;
        },
      };
    },
  });
}

/** Leaves out what JSON, as which headers cross to the main thread, would change. */
function plainFields(table: FieldTable, leaveOut: (key: string) => void): FieldTable {
  const opaque = Object.keys(table).filter((key) => hasOpaque(table[key]));
  if (opaque.length === 0) return table;
  for (const key of opaque) leaveOut(key);
  return Object.fromEntries(Object.entries(table).filter(([key]) => !opaque.includes(key)));
}

/** @throws {RemoteError} If the reply tells of a failure, or cannot be read. */
async function read(
  { facts, body }: Frame,
  accepted: AcceptedSerializers,
  serializer: Serializer,
  payloads: Payloads,
): Promise<unknown> {
  const { contentType = serializer.contentType, type, headers } = facts;
  if (type === ERROR_TYPE) throw errorOf(body);
  try {
    return await decodePayload(
      {
        body: body as string | Uint8Array<ArrayBuffer>,
        contentType: String(contentType),
        headers: isRecord(headers) ? headers : undefined,
      },
      accepted,
      payloads,
    );
  } catch (error) {
    throw new RemoteError("MalformedResponse", (error as Error).message);
  }
}

function errorOf(body: string | Uint8Array): Error {
  let text: string;
  try {
    text = bodyText(body);
  } catch {
    text = "the reply that tells of a failure is no text";
  }
  try {
    const error = decodeJson(text);
    if (isRecord(error) && typeof error["exc_type"] === "string") return toError(error, undefined);
  } catch {
    // A peer that has another convention may send any text.
  }
  return new RemoteError("Error", text);
}

/** Gives the milliseconds of a time limit. */
function requireTimeout(timeout: unknown): number {
  const limit = millisecondsOf(timeout);
  if (limit > 0 && limit < Infinity) return limit;
  throw new RangeError(
    `Cannot send a request with timeout ${
      shownDuration(timeout)
    }: it must be a positive number of milliseconds, ` +
      `and not infinite, ${OR_TEXT}`,
  );
}
