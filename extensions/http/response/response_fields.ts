/**
 * Response heads, from the text of a thread to what the server takes, each made once.
 *
 * Checking and filling a `Headers` costs more than all else that a small response is made of, and most responses
 * have the head of an earlier one.
 */
import { decodeResponseHead, type FlatHeaders, headerPairs, type ResponseHead } from "../request/head.ts";

/** How many heads are remembered; beyond that all are forgotten. */
const MOST = 256;

const heads = new Map<string, ResponseHead>();
const fields = new WeakMap<FlatHeaders, Headers>();

/** The head of a text. */
export function recallHead(text: string): ResponseHead {
  const known = heads.get(text);
  if (known !== undefined) return known;
  if (heads.size >= MOST) heads.clear();
  const head = decodeResponseHead(text);
  heads.set(text, head);
  return head;
}

/** Headers to make a response with; they must not be changed. */
export function fieldsOf(headers: FlatHeaders): Headers {
  const known = fields.get(headers);
  if (known !== undefined) return known;
  const made = new Headers(headerPairs(headers));
  fields.set(headers, made);
  return made;
}
