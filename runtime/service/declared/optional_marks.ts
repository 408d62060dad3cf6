/**
 * Looks for names with a `?` in a text, without a parser.
 *
 * The parser takes time to load, so it is loaded only if there is such a name. In JavaScript, and in an
 * expression of TypeScript, no `:`, `,` or `)` follows a `?`. So a name before both is a parameter, a property
 * or a method that may be left out, or it stands in a comment or a text.
 */

const IDENTIFIER_PART = /[\p{ID_Continue}$\ud800-\udfff]/u;
const SPACE = /\s/;

/** Returns the names that a `?` marks as optional. It may return more names, but never fewer. */
export function markedNames(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (let at = text.indexOf("?"); at !== -1; at = text.indexOf("?", at + 1)) {
    // A comment may stand between the `?` and what follows, so a slash counts, too.
    if (!":,)/".includes(text.charAt(skip(text, at + 1, 1, SPACE)) || " ")) continue;
    const end = skip(text, at - 1, -1, SPACE) + 1;
    const start = skip(text, end - 1, -1, IDENTIFIER_PART) + 1;
    if (start < end) names.add(text.slice(start, end));
  }
  return names;
}

/** Whether a text may have a call with a function's type as its type argument, such as `rpc<(a?: string) => void>()`. */
export function mayHaveSignature(text: string): boolean {
  return /[\w$]\s*<\s*(?:\(|<)/.test(text);
}

/** Returns the names and other words of a text. */
export function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.match(/[\p{ID_Continue}$]+/gu));
}

/** Returns the first place from `at` on, in the direction of `step`, where the text does not match `what`. */
function skip(text: string, at: number, step: 1 | -1, what: RegExp): number {
  let place = at;
  while (place >= 0 && place < text.length && what.test(text[place]!)) place += step;
  return place;
}
