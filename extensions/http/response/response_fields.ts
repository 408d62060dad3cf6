/**
 * Remembers response heads: each text from a thread is decoded, and turned into what `Response` takes, only once.
 *
 * Decoding a head costs more than all other work for a small response, and most responses have the same head as an
 * earlier response.
 */
import {
  decodeResponseHead,
  type FlatHeaders,
  headerOf,
  headerPairs,
  type ResponseHead,
} from "../request/head.ts";
import { REQUEST_ID } from "../request/request_id.ts";

/** Number of heads that are remembered. Before one more is added, all are forgotten. */
const MOST = 256;

/** Letters of a head that is remembered at most. */
const LONGEST = 4_096;

const heads = new Map<string, ResponseHead>();
const fields = new WeakMap<FlatHeaders, HeadersInit>();

/** Decodes the head in a text, or returns the head that was decoded from an equal text before. */
export function recallHead(text: unknown): ResponseHead {
  if (typeof text !== "string" || text.length > LONGEST) return decodeResponseHead(text);
  const known = heads.get(text);
  if (known !== undefined) return known;
  const head = decodeResponseHead(text);
  // Each response has another id.
  if (headerOf(head.headers, REQUEST_ID) !== undefined) return head;
  if (heads.size >= MOST) heads.clear();
  heads.set(text, head);
  return head;
}

/** Returns the headers for making a response. The caller must not change them. */
export function fieldsOf(headers: FlatHeaders): HeadersInit {
  const known = fields.get(headers);
  if (known !== undefined) return known;
  const pairs = headerPairs(headers);
  const record = Object.fromEntries(pairs);
  // Deno takes a record faster than a `Headers`. A name that comes twice needs the pairs.
  const made = Object.keys(record).length === pairs.length ? record : new Headers(pairs);
  fields.set(headers, made);
  return made;
}
