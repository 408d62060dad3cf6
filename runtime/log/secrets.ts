/**
 * This file keeps secrets out of texts that people read: log lines, error messages, printed configuration.
 *
 * There are two rules, and neither rule knows where its text came from. The first rule masks the password of
 * every URI in a text, and each value that follows `password=` or a similar key. The second rule masks
 * everything under a key that sounds like a secret. The rules prefer to mask too much: a password that should
 * have been percent-encoded (`amqp://u:p@ss/word@host`) is masked up to the last `@` before a space.
 */
import { maskShapes } from "./secret_shapes.ts";

/** Text in place of a secret, as in Nameko. */
export const MASK = "********";

const SECRET_KEY =
  /passw(?:or)?d|passphrase|pass$|^pwd$|secret|token|jwt|^auth$|(?:api|private|access|signing|encryption)key|credential|authorization|cookie|dsn$/;

/**
 * Masks the password of every URI in `text`, and each value that follows `password=` or a similar key.
 *
 * The work is linear in the length of the text, whatever the text is.
 *
 * @param isCut Whether the text is the beginning of a longer one. A secret may then be cut, too: one that
 * reaches the end of the text is masked even if the mark of its own end is missing. @default {false}
 */
export function maskTextSecrets(text: string, isCut = false): string {
  const masked = text.includes("://") ? maskUriPasswords(text, isCut) : text;
  return masked.includes("=") ? maskPairs(masked, isCut) : masked;
}

/** Matches where a scheme may begin. */
const SCHEME_START = /\b[a-z]/i;

/** Characters that a scheme may have. */
const SCHEME_CHARACTER = /[a-z0-9+.-]/i;

/** Ends the user of a URI. */
const USER_END = /[\s:/?#@[]/g;

/** A port and the character behind it, which is not a password. */
const PORT = /\d{1,5}(?:[/?#\s"'`,;)\]}>]|$)/y;

function maskUriPasswords(text: string, isCut: boolean): string {
  let masked = "";
  let copied = 0;
  for (let at = text.indexOf("://"); at !== -1;) {
    const colon = indexOf(text, USER_END, at + 3);
    const end = text[colon] === ":" && hasScheme(text, at) && !isPort(text, colon + 1, isCut)
      ? passwordEnd(text, colon + 1, isCut)
      : -1;
    if (end !== -1) {
      masked += `${text.slice(copied, colon)}:${MASK}`;
      copied = end;
    }
    at = text.indexOf("://", end === -1 ? at + 3 : end);
  }
  return masked + text.slice(copied);
}

/** Says whether a scheme ends at `end`. Between two texts `://` there are characters that no scheme has. */
function hasScheme(text: string, end: number): boolean {
  let start = end;
  while (start > 0 && SCHEME_CHARACTER.test(text[start - 1]!)) start--;
  return SCHEME_START.test(text.slice(Math.max(start - 1, 0), end));
}

function isPort(text: string, at: number, isCut: boolean): boolean {
  PORT.lastIndex = at;
  return PORT.test(text) && !(isCut && PORT.lastIndex === text.length);
}

/** Returns the index of the last `@` before a space and before the next `://`, or -1. */
function passwordEnd(text: string, start: number, isCut: boolean): number {
  const next = text.indexOf("://", start);
  const word = text.slice(start, next === -1 ? undefined : next);
  const space = word.search(/\s/);
  const reachesEnd = isCut && next === -1 && space === -1;
  const last = reachesEnd ? word.length : word.lastIndexOf("@", space === -1 ? undefined : space);
  return last === -1 ? -1 : start + last;
}

/** The longest end of a key that {@linkcode PAIR_KEY} looks at, and one character before it. */
const PAIR_KEY_LENGTH = 11;

const PAIR_KEY = /(?:passw(?:or)?d|secret|token|api[-_]?key|access[-_]?key|(?<!\w)pwd)$/i;

/** Ends a value that has no quotes. */
const VALUE_END = /[\s&;,"'`)\]}]/g;

function maskPairs(text: string, isCut: boolean): string {
  let masked = "";
  let copied = 0;
  for (let at = text.indexOf("="); at !== -1;) {
    const start = at + 1;
    const end = PAIR_KEY.test(text.slice(Math.max(copied, at - PAIR_KEY_LENGTH), at))
      ? valueEnd(text, start, isCut)
      : start;
    if (end > start) {
      masked += text.slice(copied, start) + MASK;
      copied = end;
    }
    at = text.indexOf("=", end);
  }
  return masked + text.slice(copied);
}

/** Returns the index behind a value; `start` if there is none. */
function valueEnd(text: string, start: number, isCut: boolean): number {
  const first = text[start];
  if (first !== '"' && first !== "'") return indexOf(text, VALUE_END, start);
  const close = text.indexOf(first, start + 1);
  if (close !== -1) return close + 1;
  return isCut ? text.length : start;
}

/** Returns the index of the first match from `start` on, or the length of the text. */
function indexOf(text: string, pattern: RegExp, start: number): number {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex - 1 : text.length;
}

/**
 * Masks the user, the password and the secret parameters of a URL.
 *
 * A `data:` URL of more than 64 characters is cut to 64 characters.
 */
export function maskUrl(url: string | URL): string {
  const shown = new URL(url);
  if (shown.protocol === "data:") return shown.href.length > 64 ? `${shown.href.slice(0, 64)}…` : shown.href;
  if (shown.username !== "" || shown.password !== "") {
    shown.username = MASK;
    shown.password = "";
  }
  const pairs = [...shown.searchParams];
  if (pairs.some(([key]) => isSecretKey(key))) {
    shown.search = new URLSearchParams(maskedPairs(pairs)).toString();
  }
  return shown.href;
}

/** Masks secret parameters. Of a secret parameter that is repeated, only the first one stays. */
function maskedPairs(pairs: readonly (readonly [string, string])[]): [string, string][] {
  const seen = new Set<string>();
  return pairs.flatMap(([key, value]): [string, string][] => {
    if (!isSecretKey(key)) return [[key, value]];
    if (seen.has(key)) return [];
    seen.add(key);
    return [[key, MASK]];
  });
}

/** Says whether `key` is the name of a secret, such as `db_password`, `apiKey` or `X-Auth-Token`. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key.toLowerCase().replace(/[-_. ]/g, ""));
}

type MaskText = (text: string) => string;

/**
 * Returns a copy of plain data without its secrets, so that people may read it.
 *
 * Under a secret key, null and booleans stay, because they only say whether there is a secret.
 *
 * @param maskText Masks each text. @default {by names, and by the shapes of secrets}
 */
export function maskSecrets<Value>(
  value: Value,
  maskText: MaskText = (text) => maskShapes(maskTextSecrets(text)),
): Value {
  return mask(value, maskText) as Value;
}

function mask(value: unknown, maskText: MaskText): unknown {
  if (typeof value === "string") return maskText(value);
  if (Array.isArray(value)) return value.map((item) => mask(item, maskText));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const secret = isSecretKey(key) && item !== null && typeof item !== "boolean";
      return [maskText(key), secret ? MASK : mask(item, maskText)];
    }),
  );
}
