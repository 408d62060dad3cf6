import type { Conversion, Payload } from "../../runtime/service/entrypoint.ts";
import type { Reply } from "../../runtime/message/reply.ts";
import type { StandardSchema } from "../../runtime/service/standard_schema.ts";
import { headerPairs, headOf, nameRequest, withHeader } from "./request/head.ts";
import { toRequest } from "./request/request.ts";
import { madeId, REQUEST_ID } from "./request/request_id.ts";
import { errorReply } from "./response/error_reply.ts";
import { encodeResult, mapBody } from "./response/result.ts";
import { checkRequest, checkResult, type RequestSchemas } from "./validation.ts";

/** The facts that {@linkcode HttpOptions.onError} receives together with the error. */
export interface HttpErrorFacts {
  /** A fresh copy of the request: its body can be read, even if the handler has read the body before. */
  readonly request: Request;
  /** Whether the error is the client's fault: `expected` names it, or it was found before the handler ran. */
  readonly expected: boolean;
}

/** Makes the conversion of one HTTP entrypoint: from the request to the handler's arguments, and back. */
export function httpConversion(
  schemas: RequestSchemas | undefined,
  output: StandardSchema | undefined,
  onError: ((error: unknown, facts: HttpErrorFacts) => unknown) | undefined,
): Conversion {
  return {
    decode(payload, call) {
      const head = headOf(payload);
      const { params } = head;
      if (schemas === undefined) return [toRequest(payload, head, call), params];
      return checkRequest(payload, head, schemas).then(({ params: checked = params, ...input }) => [
        toRequest(payload, head, call),
        checked,
        ...(Object.keys(input).length > 0 ? [input] : []),
      ]);
    },
    encode(result, _call, payload) {
      const reply = output === undefined
        ? encodeResult(result)
        : mapBody(result, (body) => checkResult(body, output)).then(encodeResult);
      return reply instanceof Promise ? reply.then((reply) => named(reply, payload)) : named(reply, payload);
    },
    async encodeError(thrown, expected, payload, call) {
      const head = headOf(payload);
      const formatted = await onError?.(thrown, { request: toRequest(payload, head, call), expected });
      const reply = formatted === undefined
        ? errorReply(thrown, expected, head)
        : await encodeResult(formatted);
      return named(reply, payload);
    },
    request(payload) {
      const { method, url, headers, id } = headOf(payload);
      return { method, url, headers: new Headers(headerPairs(headers)), id };
    },
    logProperties: (payload) => ({ request: headOf(payload).id }),
  };
}

/** Gives a response the id of its request, if that was made here. */
function named(reply: Reply, payload: Payload): Reply {
  // The handler of a stream can ask for the id after the response has begun.
  if (reply.chunks !== undefined) nameRequest(payload);
  const id = madeId(payload);
  return id === undefined ? reply : { ...reply, head: withHeader(reply.head as string, REQUEST_ID, id) };
}
