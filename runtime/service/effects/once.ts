/**
 * What an entrypoint says about messages that must have one effect, although a broker may deliver them twice.
 *
 * An inbox remembers the ids of the messages that a method has handled. The dependency that keeps it writes the id in
 * the transaction of the handler, so both become true together or not at all.
 */
import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../waiting/duration.ts";
import { BadRequestError } from "../../message/errors.ts";
import type { PlainRecord } from "../../message/plain.ts";
import type { OncePolicy, Payload, ReceivedMessage } from "../entrypoint.ts";

/** Options of `once`. */
export interface OnceOptions<Message = unknown> {
  /**
   * Gives the id of a message, of 1 to 255 characters. Messages of one id have one effect. The ids count for the whole
   * method, whichever of its entrypoints a message comes by.
   *
   * @default {the AMQP property `messageId`, which each message of an outbox has}
   */
  by?(payload: Message, message: ReceivedMessage): string | number;
  /** Seconds that an id is remembered, or a text such as `"7d"`. @default {604_800, a week} */
  readonly for?: Duration;
  /** Name of the dependency that keeps the inbox. @default {the one that does} */
  readonly inbox?: string;
}

/** Whether the messages of an entrypoint have one effect each, and how they are told apart. */
export type Once<Message = unknown> = boolean | OnceOptions<Message>;

const WEEK = 7 * 24 * 3_600;

/** What the encoded result of a skipped message has as its head. */
export const SKIPPED = "skipped";

/**
 * Reads the option `once`.
 *
 * @param what What cannot be done without it, for errors: `handle event "placed" of "orders"`.
 * @throws {TypeError} If an option is unknown or is of a wrong type.
 * @throws {RangeError} If `for` is no positive number of seconds.
 */
export function oncePolicy(once: Once<never> | undefined, what: string): OncePolicy | undefined {
  if (once === undefined || once === false) return undefined;
  const { by, for: keepFor = WEEK, inbox, ...others } = once === true ? {} : once;
  const refuse = (reason: string): never => {
    throw new TypeError(`Cannot ${what} once: ${reason}`);
  };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) refuse(`there is no option "${unknown}". The options are by, for and inbox`);
  if (by !== undefined && typeof by !== "function") refuse("by must be a function that gives an id");
  if (inbox !== undefined && typeof inbox !== "string") refuse("inbox must be the name of a dependency");
  const seconds = millisecondsOf(keepFor, 1_000) / 1_000;
  if (!(seconds > 0 && seconds <= LONGEST)) {
    throw new RangeError(
      `Cannot ${what} once: for must be more than 0 and at most ${LONGEST} seconds, ${OR_TEXT}, got ${
        shownDuration(keepFor)
      }`,
    );
  }
  // It gets the payload of its own entrypoint.
  const given = by as OnceOptions["by"];
  return {
    keepFor: seconds,
    inbox,
    idOf: given === undefined ? messageIdOf : (decoded, { message }) => {
      return requireId(() => given(decoded, message as ReceivedMessage), "`by`");
    },
  };
}

/** Returns what the manifest says of `once`. */
export function onceOptions({ keepFor, inbox }: OncePolicy): PlainRecord {
  return { for: keepFor, ...(inbox !== undefined && { inbox }) };
}

/** Ten years, in seconds. */
const LONGEST = 10 * 365 * 24 * 3_600;

function messageIdOf(_decoded: unknown, { message }: Payload): string {
  const { messageId } = (message as ReceivedMessage).properties;
  if (messageId === undefined || messageId === "") {
    throw unprotected(
      "it has no property messageId. Send it through an outbox, or name another id with `by`",
    );
  }
  return requireId(() => messageId, "messageId");
}

/** A message whose id is not known must not be handled: a redelivery of it would have a second effect. */
function requireId(give: () => unknown, source: string): string {
  let id: unknown;
  try {
    id = give();
  } catch (error) {
    throw unprotected(`${source} failed: ${String(error)}`);
  }
  const text = typeof id === "number" ? String(id) : id;
  if (typeof text === "string" && text.length >= 1 && text.length <= 255 && isStorable(text)) return text;
  const shown = typeof text === "string" ? `a text of ${text.length} characters` : String(text);
  throw unprotected(`${source} must give an id of 1 to 255 characters without NUL, got ${shown}`);
}

/** Whether every database can store a text as it is. */
function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function unprotected(reason: string): BadRequestError {
  return new BadRequestError(`Cannot handle a message once: ${reason}`, { reason: "MalformedRequest" });
}
