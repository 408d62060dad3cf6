import type { Conversion } from "../../runtime/service/entrypoint.ts";
import type { StandardSchema } from "../../runtime/service/standard_schema.ts";
import type { HttpOptions } from "./http.ts";
import { headOf, toRequest } from "./request/request.ts";
import { errorReply } from "./response/error_reply.ts";
import { encodeResult, mapBody } from "./response/result.ts";
import { checkRequest, checkResult, type RequestSchemas } from "./validation.ts";

/** Makes the conversion of one HTTP entrypoint: from the request to the handler's arguments, and back. */
export function httpConversion(
  schemas: RequestSchemas | undefined,
  output: StandardSchema | undefined,
  onError: HttpOptions["onError"],
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
    encode: output === undefined
      ? encodeResult
      : async (result) => await encodeResult(await mapBody(result, (body) => checkResult(body, output))),
    async encodeError(thrown, expected, payload, call) {
      const head = headOf(payload);
      const formatted = await onError?.(thrown, { request: toRequest(payload, head, call), expected });
      return formatted === undefined ? errorReply(thrown, expected, head) : await encodeResult(formatted);
    },
    logProperties: (payload) => ({ request: headOf(payload).id }),
  };
}
