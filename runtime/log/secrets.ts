/**
 * This file keeps secrets out of texts that people read: log lines, error messages, printed configuration.
 *
 * There are two rules, and neither rule knows where its text came from. The first rule masks the password of
 * every URI in a text, and each value that follows `password=` or a similar key. The second rule masks
 * everything under a key that sounds like a secret. The rules prefer to mask too much: a password that should
 * have been percent-encoded (`amqp://u:p@ss/word@host`) is masked up to the last `@` before a space.
 */

/** Text in place of a secret, as in Nameko. */
export const MASK = "********";

const URI_PASSWORD =
  /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@[]*):(?!\d{1,5}(?:[/?#\s"'`,;)\]}>]|$))(?:(?!:\/\/)\S)*@/gi;
const SECRET_KEY =
  /passw(?:or)?d|passphrase|pass$|^pwd$|secret|token|jwt|^auth$|(?:api|private|access|signing|encryption)key|credential|authorization|cookie/;
const SECRET_PAIR =
  /\b((?:[\w-]*(?:passw(?:or)?d|secret|token|api[-_]?key|access[-_]?key)|pwd)=)(?:"[^"]*"|'[^']*'|[^\s&;,"'`)\]}]+)/gi;

/** Masks the password of every URI in `text`, and each value that follows `password=` or a similar key. */
export function maskTextSecrets(text: string): string {
  const masked = text.includes("://") ? text.replace(URI_PASSWORD, `$1:${MASK}@`) : text;
  return masked.includes("=") ? masked.replace(SECRET_PAIR, `$1${MASK}`) : masked;
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
  for (const key of new Set(shown.searchParams.keys())) {
    if (isSecretKey(key)) shown.searchParams.set(key, MASK);
  }
  return shown.href;
}

/** Says whether `key` is the name of a secret, such as `db_password`, `apiKey` or `X-Auth-Token`. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key.toLowerCase().replace(/[-_. ]/g, ""));
}

/**
 * Returns a copy of plain data without its secrets, so that people may read it.
 *
 * Under a secret key, null and booleans stay, because they only say whether there is a secret.
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
