/**
 * The thread half of an RPC method: it reads requests, and writes replies in the serializer of their requests, as
 * Nameko does.
 *
 * Plain JSON is the common case. It comes without a content type and goes as a text, around which the main thread puts
 * the envelope. All else comes with its content type, and goes in the envelope, because only the thread has the
 * serializers.
 */
import { toErrorObject } from "../../runtime/message/error_object.ts";
import { describeFailure } from "../../runtime/message/failure.ts";
import {
  DEFAULT_PAYLOADS,
  integersWith,
  isOurJson,
  withBigints,
} from "../../runtime/message/payload/payloads.ts";
import { jsonSerializer } from "../../runtime/message/payload/exact_json.ts";
import { asksForRetry } from "../../runtime/message/retry.ts";
import type { Reply } from "../../runtime/message/reply.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import type { Call } from "../../runtime/service/call.ts";
import type { Conversion, HandlerFacts } from "../../runtime/service/entrypoint.ts";
import type { MethodSignature } from "../../runtime/service/method_signature.ts";
import {
  type AcceptedSerializers,
  decodePayload,
  serializerFor,
  serializersByType,
} from "../../runtime/service/payload_conversion.ts";
import { decodeRequest, requestArguments } from "./wire.ts";

/** Options of {@linkcode requestConversion}. */
export interface RequestConversionOptions {
  readonly serializers?: readonly Serializer[] | undefined;
  readonly bigints?: boolean | undefined;
  /** Whether the entrypoint has a policy of retries. @default {false} */
  readonly retries?: boolean;
}

/** Makes the conversion of an RPC method. */
export function requestConversion(
  { service, payloads: configured = DEFAULT_PAYLOADS }: HandlerFacts,
  { bind, encode }: MethodSignature,
  { serializers = [], bigints, retries = false }: RequestConversionOptions,
): Conversion {
  const payloads = withBigints(configured, bigints);
  const own = serializers.map((each) => integersWith(each, payloads.bigints));
  const accepted = serializersByType([...payloads.accepted, ...own]);
  const json = payloads.accepted.find(isJson) ?? own.find(isJson);
  const writers = new Writers(accepted);
  return {
    decode(payload, call) {
      if (payload.contentType === undefined && json !== undefined) {
        const { args, kwargs } = decodeRequest(payload.body ?? "", json);
        return bind(args, kwargs);
      }
      const { contentType = jsonSerializer.contentType } = payload;
      writers.note(contentType, call);
      const read = decodePayload({ ...payload, contentType }, accepted, payloads);
      if (!(read instanceof Promise)) return bindRequest(bind, read);
      return read.then((request) => bindRequest(bind, request));
    },
    encode(result, call) {
      const writer = writers.of(call);
      if (writer === undefined) return encode(result, (json ?? jsonSerializer).encode);
      return encode(result, (value) => replyIn(writer, { result: value ?? null, error: null }));
    },
    encodeError(thrown, expected, _payload, call) {
      const writer = writers.of(call);
      if (writer === undefined) return undefined;
      const failure = describeFailure(thrown);
      // The main thread tries the request again, or writes the reply if it does not.
      if (asksForRetry(failure) || (retries && !expected)) return undefined;
      return replyIn(writer, { result: null, error: toErrorObject(failure, service) });
    },
  };
}

function bindRequest(bind: MethodSignature["bind"], request: unknown) {
  const { args, kwargs } = requestArguments(request);
  return bind(args, kwargs);
}

/** Whether a serializer reads and writes what comes and goes without a content type. */
function isJson(serializer: Serializer): boolean {
  return isOurJson(serializer) && serializer.contentType === jsonSerializer.contentType;
}

function replyIn({ contentType, contentEncoding, encode }: Serializer, response: unknown): Reply {
  const body = encode(response);
  return {
    head: { contentType, contentEncoding: typeof body === "string" ? "utf-8" : contentEncoding },
    body,
  };
}

/** The serializers of the calls whose requests are not plain JSON. */
class Writers {
  readonly #accepted: AcceptedSerializers;
  readonly #writers = new WeakMap<Call, Serializer>();
  #isUsed = false;

  constructor(accepted: AcceptedSerializers) {
    this.#accepted = accepted;
  }

  note(contentType: string, call: Call): void {
    const { serializer } = serializerFor(contentType, this.#accepted);
    if (serializer === undefined || isJson(serializer)) return;
    this.#isUsed = true;
    this.#writers.set(call, serializer);
  }

  of(call: Call): Serializer | undefined {
    return this.#isUsed ? this.#writers.get(call) : undefined;
  }
}
