/**
 * Says whether a routing key fits a binding key of a topic exchange.
 *
 * Dots separate the words of a key. In a binding key, `*` stands for one word and `#` for zero or more words.
 */
export function topicMatches(pattern: string, routingKey: string): boolean {
  const [wanted, words] = [split(pattern), split(routingKey)];
  let [at, from, last, taken] = [0, 0, -1, 0];
  while (from < words.length) {
    const word = wanted[at];
    if (word === "#") {
      last = at++;
      taken = from;
    } else if (word !== undefined && (word === "*" || word === words[from])) {
      at++;
      from++;
    } else if (last >= 0) {
      // Only the last `#` takes one word more. That is enough, and not exponential.
      at = last + 1;
      from = ++taken;
    } else return false;
  }
  while (wanted[at] === "#") at++;
  return at === wanted.length;
}

function split(key: string): string[] {
  return key === "" ? [] : key.split(".");
}
