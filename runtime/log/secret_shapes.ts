/**
 * This file finds secrets by their shape, whatever key they stand under.
 *
 * Some shapes are unmistakable also inside a text: tokens with a known prefix, keys in PEM, JSON web tokens.
 * Others are just long random text. A log has much of that which is no secret, such as the ids of traces, so
 * there only very long ones count; a configuration has little.
 *
 * All searches are linear, because the texts may come from anybody: a match can begin only where a run of the
 * characters that it consists of begins, or at a fixed text.
 */

/** Text in place of a secret. */
const MASK = "********";

/** The ids of requests and calls, which stand in most lines of a log. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Length of the shortest text that is looked at. */
const SHORTEST = 12;

/** Every token with a prefix, and every random text, has a run of so many of its characters. */
const LONG_RUN = 16;

/** Tokens that begin with a prefix of their issuer, in groups by the characters that they consist of. */
const PREFIXED = new RegExp(
  "(?<![A-Za-z0-9_-])(?:" + [
    // Amazon
    "(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|APKA|AROA|ASCA)[A-Z0-9]{16}(?![A-Za-z0-9_-])",
    // Google
    "AIza[A-Za-z0-9_-]{30,}|ya29\\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}",
    // GitHub and GitLab
    "gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{20,}|gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{16,}",
    // Slack, Stripe, SendGrid, Twilio, Shopify
    "x(?:ox[abeprs]|app)-[A-Za-z0-9-]{11,}|[prs]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}",
    "SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}|(?:SK|AC)[0-9a-f]{32}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    // Package registries, clouds and vaults
    "npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|do[opr]_v1_[0-9a-f]{32,}|hv[bs]\\.[A-Za-z0-9_-]{20,}",
    "sk-[A-Za-z0-9_-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{50,}|dapi[0-9a-f]{32}|lin_api_[A-Za-z0-9]{30,}",
    "[0-9]{8,10}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])",
    // JSON web tokens
    "eyJ[A-Za-z0-9_-]{13,}\\.[A-Za-z0-9_-]{4,}\\.[A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]*){0,2}",
  ].join("|") + ")",
  "g",
);

/** Credentials of HTTP. After `Bearer`, a word of the language has neither a digit nor a sign. */
const BEARER =
  /(?<![A-Za-z0-9_-])(Bearer {1,4})(?:(?=[A-Za-z]*[0-9._~+/=-])[A-Za-z0-9._~+/=-]{8,}|[A-Za-z]{20,})/gi;
const BASIC = /(?<![A-Za-z0-9_-])((?:Basic|Token) {1,4})(?=[A-Za-z+/_-]*[0-9=])[A-Za-z0-9+/_-]{8,}={0,2}/gi;

/** Ends of the names of these schemes, which cost less to look for. */
const SCHEME_END = /(?:earer|asic|oken) /i;

/** Web addresses that are secrets as a whole. */
const SECRET_ADDRESS =
  /(?<=:\/\/)((?:hooks\.slack\.com\/services|discord(?:app)?\.com\/api\/webhooks)\/)[A-Za-z0-9_/-]{8,}/g;

/** The keys in connection texts of Azure, and of signed URLs. */
const KEY_PAIR =
  /(?<![A-Za-z0-9_-])((?:AccountKey|SharedAccessKey|SharedAccessSignature|sig|X-Amz-Signature)=)[^\s;&,"']{8,}/gi;

/** The user of a URI that has no password. */
const LONE_USER = /:\/\/([^\s:/?#@[\]"'<>]+)@/g;

/** Masks the secrets inside a text whose shapes are unmistakable. A text of nothing else may be one as a whole. */
export function maskShapes(text: string): string {
  // Each search runs only where something cheaper has found a part of what it looks for: most texts are logged.
  if (text.length < SHORTEST || (text.length === 36 && UUID.test(text))) return text;
  let masked = text;
  if (hasLongRun(text)) {
    if (isRandom(text, { hex: 64, mixed: 40 })) return MASK;
    masked = masked.replace(PREFIXED, MASK);
  }
  if (masked.includes(PEM_BEGIN)) masked = maskPem(masked);
  if (SCHEME_END.test(masked)) {
    masked = masked.replace(BEARER, `$1${MASK}`).replace(BASIC, `$1${MASK}`);
  }
  if (masked.includes("=")) masked = masked.replace(KEY_PAIR, `$1${MASK}`);
  if (masked.includes("://")) {
    masked = masked.replace(SECRET_ADDRESS, `$1${MASK}`).replace(LONE_USER, maskLoneUser);
  }
  return masked;
}

function hasLongRun(text: string): boolean {
  let run = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // Letters, digits, and the signs of base64: + - / _
    const counts = (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 47 && code <= 57) ||
      code === 45 || code === 95 || code === 43;
    run = counts ? run + 1 : 0;
    if (run === LONG_RUN) return true;
  }
  return false;
}

/** Masks the texts of a configuration that are random as a whole, wherever in it they are. */
export function maskRandomTexts<Value>(value: Value): Value {
  return maskRandom(value) as Value;
}

function maskRandom(value: unknown): unknown {
  if (typeof value === "string") return isRandom(value, { hex: 32, mixed: 24 }) ? MASK : value;
  if (Array.isArray(value)) return value.map(maskRandom);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskRandom(item)]));
}

const PEM_BEGIN = "-----BEGIN ";
const PEM_END = "-----END ";

/** Masks what is between the first and the last line of each PEM block. A block without an end ends nowhere. */
function maskPem(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let begin = text.indexOf(PEM_BEGIN); begin >= 0; begin = text.indexOf(PEM_BEGIN, from)) {
    const label = text.indexOf("-----", begin + PEM_BEGIN.length);
    if (label < 0) break;
    const end = text.indexOf(PEM_END, label);
    parts.push(text.slice(from, label + 5), MASK);
    if (end < 0) return parts.join("");
    from = end;
  }
  return parts.join("") + text.slice(from);
}

/**
 * Masks the user of a URI that has no password if the user looks like a key. Over HTTP, every user does: that
 * is how Sentry and GitHub take their keys.
 */
function maskLoneUser(match: string, user: string, offset: number, text: string): string {
  const scheme = text.slice(Math.max(0, offset - 5), offset).toLowerCase();
  const isKey = /https?$/.test(scheme) || (user.length >= 8 && /\d/.test(user) && /[a-z]/i.test(user));
  return isKey ? `://${MASK}@` : match;
}

/** Says whether a whole text is random: hexadecimal digits, or base64 that changes its kind of letter often. */
function isRandom(text: string, least: { readonly hex: number; readonly mixed: number }): boolean {
  if (text.length < Math.min(least.hex, least.mixed)) return false;
  if (/^(?:0x)?[0-9a-f]+$/i.test(text)) {
    return text.length >= least.hex && /[0-9]/.test(text) && /[a-f]/i.test(text);
  }
  if (text.length < least.mixed || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return false;
  if (!/[0-9]/.test(text) || !/[a-z]/.test(text) || !/[A-Z]/.test(text)) return false;
  // Words that are joined have many signs between them, or change their kind of letter seldom.
  const signs = text.match(/[+/_-]/g) ?? [];
  if (signs.length > text.length / 8) return false;
  const runs = text.match(/[a-z]+|[A-Z]+|[0-9]+/g) ?? [];
  return runs.length >= text.length * 0.42 && runs.every((run) => run.length <= 12);
}
