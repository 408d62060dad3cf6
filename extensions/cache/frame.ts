/**
 * What a thread asks the main thread's half of its cache, and what it is answered: a line of JSON, and behind it the
 * text of a value, which is written as JSON once and read where somebody wants it.
 *
 * Times are what is left, in milliseconds, because the clocks of two threads begin at different times. The main thread
 * checks all of a question, because a service can send anything.
 */
import { isRecord, isTexts } from "../../runtime/message/plain.ts";
import { MOST_KEY } from "./key.ts";

/** A question of a thread. */
export type Question =
  /** Says that the thread is there; the answer comes when nobody shall be there any more. */
  | { readonly op: "join"; readonly session: string }
  /** Asks which keys are invalid, once there are some. */
  | { readonly op: "watch"; readonly since: number }
  /** Asks for a value, or for the task to load it, which has the id `flight` then. */
  | { readonly op: "get"; readonly flight: string; readonly key: string; readonly limit: number }
  /** Asks for a value and for no task. */
  | { readonly op: "last"; readonly key: string }
  /** Gives what was loaded as the task `flight`, or, without one, a value that replaces no other. */
  | ({ readonly op: "put"; readonly flight?: string } & Lifetime)
  /** Gives a task back. With `alone` the value cannot be cached, so that all others load it by themselves. */
  | { readonly op: "fail"; readonly flight: string; readonly alone?: boolean }
  | ({ readonly op: "set" } & Lifetime)
  | { readonly op: "delete"; readonly keys: readonly string[]; readonly tags: readonly string[] }
  | { readonly op: "clear" }
  /** Only tells the number of hits. */
  | { readonly op: "count" };

/** A key with the time for which its value lives. */
export interface Lifetime {
  readonly key: string;
  /** Milliseconds for which the value is fresh. */
  readonly ttl: number;
  /** Milliseconds for which it is served after that, while it is loaded again. */
  readonly staleFor: number;
  readonly tags: readonly string[];
}

/** An answer of the main thread. */
export type Reply =
  | {
    readonly is: "value";
    /** The number of invalidations that the value has seen. */
    readonly version: number;
    /** Milliseconds for which the value is fresh; negative if it is stale. */
    readonly fresh: number;
    /** Whether the thread got the task to load the value again. */
    readonly refresh: boolean;
    /** Bytes that the new value may have. */
    readonly most: number;
  }
  | { readonly is: "load"; readonly most: number }
  | { readonly is: "alone" }
  | { readonly is: "none" }
  /** Whether a value was taken, and if not, the bytes that it may have where it has too many. */
  | { readonly is: "put"; readonly stored: boolean; readonly version: number; readonly most?: number }
  /** The keys that are invalid; all if there are none. */
  | { readonly is: "news"; readonly version: number; readonly keys: readonly string[] | null };

/** A question with the text of its value, and with the hits that the thread has had since its last question. */
export interface AskedQuestion {
  readonly question: Question;
  readonly text: string;
  readonly hits: number;
}

/** Most keys or tags of one question. */
export const MOST_KEYS = 100;

/** Most tags of one value. */
export const MOST_TAGS = 16;

/** Characters that a tag has at most. */
export const MOST_TAG = 200;

const MOST_ID = 100;

/** Characters of the largest line that a question has. */
const MOST_LINE = 1_000_000;

/** Writes a question. */
export function writeQuestion(question: Question, text: string, hits: number): string {
  return `${JSON.stringify(hits === 0 ? question : { ...question, hits })}\n${text}`;
}

/** Writes an answer. */
export function writeReply(reply: Reply, text = ""): string {
  return `${JSON.stringify(reply)}\n${text}`;
}

/** Reads an answer, which only the main thread writes. */
export function readReply(body: string | Uint8Array): readonly [reply: Reply, text: string] {
  const [line, text] = cut(String(body));
  return [JSON.parse(line), text];
}

/**
 * Reads a question.
 *
 * @throws {TypeError} If it has another form, or is too large.
 */
export function readQuestion(body: unknown): AskedQuestion {
  if (typeof body !== "string") throw refusal("it is no text");
  const [line, text] = cut(body);
  if (line.length > MOST_LINE) throw refusal("it is too long");
  let question: unknown;
  try {
    question = JSON.parse(line);
  } catch {
    throw refusal("it is no JSON");
  }
  if (!isRecord(question) || !isQuestion(question)) throw refusal("it has another form");
  const { hits = 0 } = question;
  if (!isAmount(hits)) throw refusal("its number of hits is no number");
  return { question: question as unknown as Question, text, hits };
}

function cut(body: string): readonly [line: string, text: string] {
  const end = body.indexOf("\n");
  return end === -1 ? [body, ""] : [body.slice(0, end), body.slice(end + 1)];
}

function isQuestion(value: Readonly<Record<string, unknown>>): boolean {
  const { op, session, since, flight, key, limit, keys, tags } = value;
  switch (op) {
    case "join":
      return isId(session);
    case "watch":
      return isAmount(since);
    case "get":
      return isId(flight) && isKey(key) && isAmount(limit);
    case "last":
      return isKey(key);
    case "put":
      return (flight === undefined || isId(flight)) && isLifetime(value);
    case "fail":
      return isId(flight);
    case "set":
      return isLifetime(value);
    case "delete":
      return isTexts(keys) && keys.length <= MOST_KEYS && keys.every(isKey) && isTags(tags, MOST_KEYS);
    case "clear":
    case "count":
      return true;
    default:
      return false;
  }
}

function isLifetime({ key, ttl, staleFor, tags }: Readonly<Record<string, unknown>>): boolean {
  return isKey(key) && isAmount(ttl) && isAmount(staleFor) && isTags(tags, MOST_TAGS);
}

function isTags(tags: unknown, most: number): boolean {
  return isTexts(tags) && tags.length <= most && tags.every((tag) => tag.length <= MOST_TAG);
}

function isKey(key: unknown): boolean {
  return typeof key === "string" && key.length <= MOST_KEY;
}

function isId(id: unknown): boolean {
  return typeof id === "string" && id.length <= MOST_ID;
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

function refusal(reason: string): TypeError {
  return new TypeError(`Cannot answer a question about a cache: ${reason}. Use cache() of Enoki`);
}
