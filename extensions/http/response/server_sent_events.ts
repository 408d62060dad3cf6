/** The content type of server-sent events. */
export const EVENT_STREAM = "text/event-stream";

/**
 * Encodes an item as one server-sent event.
 *
 * A text is the data of the event. An object that has no keys other than `event`, `data`, `id`, `retry` and
 * `comment` states the fields of the event. Any other item is the data of the event, as JSON.
 */
export function encodeServerSentEvent(item: unknown): string {
  if (!isEvent(item)) return `${dataLines(item)}\n`;
  const { comment, event, id, retry, data } = item;
  let text = "";
  if (comment !== undefined) text += `: ${oneLine(comment)}\n`;
  if (event !== undefined) text += `event: ${oneLine(event)}\n`;
  if (id !== undefined) text += `id: ${oneLine(id)}\n`;
  if (retry !== undefined) text += `retry: ${oneLine(retry)}\n`;
  if (data !== undefined) text += dataLines(data);
  return `${text}\n`;
}

const FIELDS: ReadonlySet<string> = new Set(["event", "data", "id", "retry", "comment"]);

type EventFields = Readonly<Partial<Record<"event" | "data" | "id" | "retry" | "comment", unknown>>>;

function isEvent(item: unknown): item is EventFields {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return false;
  const keys = Object.keys(item);
  return keys.length > 0 && keys.every((key) => FIELDS.has(key));
}

function dataLines(data: unknown): string {
  const text = typeof data === "string" ? data : JSON.stringify(data) ?? "null";
  return text.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`).join("");
}

/** Removes line breaks from a value, since a line break would begin another field. */
function oneLine(value: unknown): string {
  return String(value).replaceAll(/[\r\n]+/g, " ");
}
