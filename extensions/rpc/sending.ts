/** How a client sends its requests and reads the answers, where that is not plain JSON. */
import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import {
  compress,
  type Compression,
  COMPRESSION_HEADER,
  requireCompression,
} from "../../runtime/message/payload/compression.ts";
import { jsonSerializer } from "../../runtime/message/payload/exact_json.ts";
import {
  DEFAULT_PAYLOADS,
  integersWith,
  type Payloads,
  withBigints,
} from "../../runtime/message/payload/payloads.ts";
import type { EncodedAnswer, Request, RequestAnswer } from "../../runtime/message/messenger.ts";
import { given } from "../../runtime/message/plain.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import { decodePayload, serializersByType } from "../../runtime/service/payload_conversion.ts";
import { decodeResponse, encodeRequest, resultOf, unreadable } from "./wire.ts";

/** Options of the messages of a client, as Nameko's `RpcProxy` has them. */
export interface SendingOptions {
  /**
   * Writes the requests. The service answers in the same, and answers in JSON are read, too.
   *
   * @default {the configured `serializer`, JSON}
   */
  readonly serializer?: Serializer;
  /** Compression of the requests, which is kombu's `gzip`. @default {none} */
  readonly compression?: Compression;
  /** Priority of the requests, from 0 to 255. The queues of services have no priorities, unless a policy gives them. @default {0} */
  readonly priority?: number;
  /** Milliseconds after which the broker drops a request that nobody has taken. @default {when nobody waits any more} */
  readonly expiration?: Duration;
  /**
   * Whether calls survive a restart of the broker, which then keeps requests and replies on its disk. Calls without it
   * are faster: the service does not wait until the broker has taken their replies.
   *
   * @default {the configured `RPC_DELIVERY`, true}
   */
  readonly persistent?: boolean;
  /** The same as `persistent`, as Nameko has it: 2 stands for true, 1 for false. */
  readonly deliveryMode?: 1 | 2;
  /**
   * Whether integers of JSON beyond 2⁵³ arrive as `bigint`, and `bigint`s are written as integers. Without it, an
   * answer with such an integer is an error, and so is such an argument.
   *
   * @default {the configured `bigints`, false}
   */
  readonly bigints?: boolean;
}

/** Their names. */
export const SENDING_OPTIONS: readonly (keyof SendingOptions)[] = [
  "serializer",
  "compression",
  "priority",
  "expiration",
  "persistent",
  "deliveryMode",
  "bigints",
];

/** Writes requests and reads answers. */
export interface Sending {
  /** @throws {TypeError} If the arguments cannot be written. */
  request(
    request: Omit<Request, "body" | "properties">,
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>> | undefined,
  ): Request;
  /** @throws {CallError} If the service reports an error, or the answer cannot be read. */
  result(answer: RequestAnswer, service: string): unknown;
}

/** Writes and reads as a configuration that says nothing has it. */
const PLAIN: Sending = {
  request: (request, args, kwargs) => ({ ...request, body: encodeRequest(args, kwargs) }),
  result: (answer, service) =>
    isEncoded(answer) ? readEncoded(answer, service, DEFAULT_PAYLOADS) : decodeResponse(answer, service),
};

/**
 * Makes what writes and reads for a client.
 *
 * @throws {RangeError} If a number is out of its range.
 * @throws {TypeError} If the serializer or the compression is none.
 */
export function sendingOf(options: SendingOptions, configured: Payloads = DEFAULT_PAYLOADS): Sending {
  if (SENDING_OPTIONS.some((name) => options[name] !== undefined)) return makeSending(options, configured);
  if (configured === DEFAULT_PAYLOADS) return PLAIN;
  let sending = plain.get(configured);
  if (sending === undefined) plain.set(configured, sending = makeSending(options, configured));
  return sending;
}

/** What clients without options of their own use, for each configuration. */
const plain = new WeakMap<Payloads, Sending>();

function makeSending(options: SendingOptions, configured: Payloads): Sending {
  const { serializer, compression, priority, expiration, bigints } = options;
  requireSending(options);
  const payloads = withBigints(configured, bigints);
  const writer = serializer === undefined ? payloads.serializer : integersWith(serializer, payloads.bigints);
  const json = integersWith(jsonSerializer, payloads.bigints);
  const isJson = writer.contentType === jsonSerializer.contentType;
  const properties = {
    ...(!isJson && { contentType: writer.contentType, contentEncoding: writer.contentEncoding }),
    ...given({ priority, deliveryMode: deliveryModeOf(options) }),
    ...(expiration !== undefined && { expiration: millisecondsOf(expiration) }),
  };
  const own: Payloads = { ...payloads, accepted: [json, ...payloads.accepted, writer] };
  return {
    request({ headers, ...request }, args, kwargs) {
      const plain = encodeRequest(args, kwargs, writer);
      const { body, headers: more } = compression === undefined
        ? { body: plain, headers: undefined }
        : compress(plain, compression);
      return {
        ...request,
        body,
        headers: more === undefined ? headers : { ...headers, ...more },
        properties,
      };
    },
    result: (answer, service) =>
      isEncoded(answer)
        ? readEncoded(answer, service, own)
        : decodeResponse(answer, service, isJson ? writer : json),
  };
}

function isEncoded(answer: RequestAnswer): answer is EncodedAnswer {
  return typeof answer === "object" && !(answer instanceof Uint8Array);
}

async function readEncoded(
  { body, contentType, compression }: EncodedAnswer,
  service: string,
  payloads: Payloads,
): Promise<unknown> {
  const headers: FieldTable = compression === undefined ? {} : { [COMPRESSION_HEADER]: compression };
  let response: unknown;
  try {
    response = await decodePayload(
      { body, contentType, headers },
      serializersByType(payloads.accepted),
      payloads,
    );
  } catch (error) {
    throw unreadable(error);
  }
  return resultOf(response, service);
}

function deliveryModeOf({ persistent, deliveryMode }: SendingOptions): 1 | 2 | undefined {
  return persistent === undefined ? deliveryMode : persistent ? 2 : 1;
}

/**
 * Checks the options of a client.
 *
 * @throws {RangeError} If a number is out of its range.
 * @throws {TypeError} If the serializer or the compression is none, or an option contradicts another.
 */
export function requireSending(
  { serializer, compression, priority, expiration, persistent, deliveryMode }: SendingOptions,
): void {
  requireCompression(compression);
  if (serializer !== undefined && typeof serializer?.encode !== "function") {
    throw new TypeError(
      `Cannot call with serializer ${
        Deno.inspect(serializer)
      }: it is none. Give an object, such as messagepack`,
    );
  }
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
    throw new RangeError(`Cannot call with priority ${priority}: it must be from 0 to 255`);
  }
  const lifetime = expiration === undefined ? 0 : millisecondsOf(expiration);
  if (!(lifetime >= 0 && lifetime < Infinity)) {
    throw new RangeError(
      `Cannot call with expiration ${
        shownDuration(expiration)
      }: it must be a number of milliseconds, 0 or more, ` +
        OR_TEXT,
    );
  }
  if (deliveryMode !== undefined && deliveryMode !== 1 && deliveryMode !== 2) {
    throw new RangeError(`Cannot call with deliveryMode ${deliveryMode}: it must be 1 or 2`);
  }
  if (persistent === undefined) return;
  if (typeof persistent !== "boolean") {
    throw new TypeError(`Cannot call with persistent ${Deno.inspect(persistent)}: it must be true or false`);
  }
  if (deliveryMode !== undefined && persistent !== (deliveryMode === 2)) {
    throw new TypeError(
      `Cannot call with persistent ${persistent} and deliveryMode ${deliveryMode}: they contradict each other. ` +
        "Leave one out",
    );
  }
}
