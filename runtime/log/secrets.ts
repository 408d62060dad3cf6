/**
 * Keeps secrets out of what people read: log lines, error messages, printed configuration.
 *
 * Two rules, and neither knows where its text came from: in a text, the password of every URI is masked, and what
 * follows `password=` and the like; and so is everything under a key that sounds like a secret. The rules prefer to
 * mask too much: a password that should have been percent-encoded (`amqp://u:p@ss/word@host`) is masked up to the
 * last `@` before a space.
 */

/** What stands in place of a secret, as in Nameko. */
export const MASK = "********";

const URI_PASSWORD =
  /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@[]*):(?!\d{1,5}(?:[/?#\s"'`,;)\]}>]|$))(?:(?!:\/\/)\S)*@/gi;
const SECRET_KEY =
  /passw(?:or)?d|passphrase|pass$|^pwd$|secret|token|jwt|^auth$|(?:api|private|access|signing|encryption)key|credential|authorization|cookie/;
const SECRET_PAIR =
  /\b((?:[\w-]*(?:passw(?:or)?d|secret|token|api[-_]?key|access[-_]?key)|pwd)=)(?:"[^"]*"|'[^']*'|[^\s&;,"'`)\]}]+)/gi;

/** Replaces the password of every URI in `text` by asterisks, and what follows `password=` and the like. */
export function maskTextSecrets(text: string): string {
  const masked = text.includes("://") ? text.replace(URI_PASSWORD, `$1:${MASK}@`) : text;
  return masked.includes("=") ? masked.replace(SECRET_PAIR, `$1${MASK}`) : masked;
}

/** A URL without its user, its password and what its query calls a secret; a `data:` URL is cut short. */
export function maskUrl(url: string | URL): string {
  const shown = new URL(url);
  if (shown.protocol === "data:") return shown.href.length > 64 ? `${shown.href.slice(0, 64)}…` : shown.href;
  if (shown.username !== "" || shown.password !== "") {
    shown.username = MASK;
    shown.password = "";
  }
  for (const key of new Set(shown.searchParams.keys())) {
    if (isSecretKey(key)) shown.searchParams.set(key, MASK);
  }
  return shown.href;
}

/** Whether the value under `key` is a secret by its name: `db_password`, `apiKey`, `X-Auth-Token`. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key.toLowerCase().replace(/[-_. ]/g, ""));
}

/**
 * A copy of plain data that is fit to be shown.
 *
 * Under a secret key, null and booleans stay, since they only say whether there is a secret.
 */
export function maskSecrets<Value>(value: Value): Value {
  return mask(value) as Value;
}

function mask(value: unknown): unknown {
  if (typeof value === "string") return maskTextSecrets(value);
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const secret = isSecretKey(key) && item !== null && typeof item !== "boolean";
      return [maskTextSecrets(key), secret ? MASK : mask(item)];
    }),
  );
}
