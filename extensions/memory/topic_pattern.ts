/**
 * Says whether a routing key fits a binding key of a topic exchange.
 *
 * Dots separate the words of a key. In a binding key, `*` stands for one word and `#` for zero or more words.
 */
export function topicMatches(pattern: string, routingKey: string): boolean {
  return matches(words(pattern), words(routingKey));
}

function words(text: string): string[] {
  return text === "" ? [] : text.split(".");
}

/** On a word that does not fit, only the last `#` takes one word more. That is enough, and not exponential. */
function matches(pattern: readonly string[], key: readonly string[]): boolean {
  let at = 0;
  let from = 0;
  let last = -1;
  let taken = 0;
  while (from < key.length) {
    const word = pattern[at];
    if (word === "#") {
      last = at++;
      taken = from;
    } else if (word !== undefined && (word === "*" || word === key[from])) {
      at++;
      from++;
    } else if (last !== -1) {
      at = last + 1;
      from = ++taken;
    } else return false;
  }
  while (pattern[at] === "#") at++;
  return at === pattern.length;
}
