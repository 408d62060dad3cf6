import type { Reply } from "../../runtime/message/reply.ts";
import { DEFAULT_PAYLOADS, integersWith, withBigints } from "../../runtime/message/payload/payloads.ts";
import { jsonSerializer } from "../../runtime/message/payload/exact_json.ts";
import { rawSerializer, type Serializer, textSerializer } from "../../runtime/message/serializer.ts";
import type { Call } from "../../runtime/service/call.ts";
import type { Conversion, ReceivedMessage } from "../../runtime/service/entrypoint.ts";
import {
  acceptedSerializers,
  payloadConversion,
  type PayloadOptions,
  serializerFor,
} from "../../runtime/service/payload_conversion.ts";

/**
 * Makes the conversion of entrypoints that reply to messages.
 *
 * A reply is written as its request was. A request without a content type consists of bytes, and so does its reply. A
 * result that cannot be text or bytes without losing its meaning is written as JSON.
 */
export function replyConversion(
  serializers: readonly Serializer[] = [],
  { payloads: configured = DEFAULT_PAYLOADS, bigints }: PayloadOptions = {},
): Conversion {
  const payloads = withBigints(configured, bigints);
  const own = serializers.map((each) => integersWith(each, payloads.bigints));
  const accepted = acceptedSerializers(own, payloads);
  const json = integersWith(jsonSerializer, payloads.bigints);
  const { decode } = payloadConversion(serializers, { payloads });
  const writers = new WeakMap<Call, { readonly serializer: Serializer | undefined }>();
  return {
    decode(payload, call) {
      const { contentType } = payload;
      if ((payload.message as ReceivedMessage).properties.replyTo !== undefined) {
        const serializer = contentType === undefined
          ? undefined
          : serializerFor(contentType, accepted).serializer;
        writers.set(call, { serializer });
      }
      return decode(payload, call);
    },
    encode(result, call) {
      const writer = writers.get(call);
      return writer && write(result, writer.serializer, json);
    },
  };
}

function write(result: unknown, asked: Serializer | undefined, json: Serializer): Reply {
  const wanted = asked ?? rawSerializer;
  const serializer = keeps(wanted, result) ? wanted : json;
  const body = serializer.encode(result);
  const contentEncoding = typeof body === "string" ? "utf-8" : serializer.contentEncoding;
  const contentType = asked === undefined && serializer === rawSerializer
    ? undefined
    : serializer.contentType;
  return { head: { ...(contentType !== undefined && { contentType }), contentEncoding }, body };
}

/** Says whether the reader of what a serializer writes gets the result, and not only a text about it. */
function keeps({ encode }: Serializer, result: unknown): boolean {
  if (encode === rawSerializer.encode) return typeof result === "string" || result instanceof Uint8Array;
  if (encode !== textSerializer.encode) return true;
  return ["string", "number", "bigint", "boolean"].includes(typeof result);
}
