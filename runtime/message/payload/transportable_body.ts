import type { Body } from "../reply.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Content types whose bodies are text. Text crosses threads at a lower cost than bytes. */
const TEXT_REGEXP = /^(?:text\/|application\/(?:json|text|x-yaml)\s*(?:;|$))/i;

/**
 * Returns a body in the form that crosses to a thread.
 *
 * A body of a text type becomes text, unless it is compressed or not UTF-8. Any other body becomes a
 * copy of its bytes, because the broker's buffer is used again.
 */
export function transportableBody(
  body: Uint8Array,
  contentType: string | undefined,
  compressed: boolean,
): NonNullable<Body> {
  if (!compressed && contentType !== undefined && TEXT_REGEXP.test(contentType)) {
    try {
      return decodeUtf8(body);
    } catch {
      return new Uint8Array(body);
    }
  }
  return new Uint8Array(body);
}
