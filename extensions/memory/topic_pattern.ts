/**
 * Says whether a routing key fits a binding key of a topic exchange.
 *
 * Dots separate the words of a key. In a binding key, `*` stands for one word and `#` for zero or more words.
 */
export function topicMatches(pattern: string, routingKey: string): boolean {
  return matches(words(pattern), 0, words(routingKey), 0);
}

function words(text: string): string[] {
  return text === "" ? [] : text.split(".");
}

function matches(pattern: readonly string[], at: number, key: readonly string[], from: number): boolean {
  for (; at < pattern.length; at++, from++) {
    const word = pattern[at];
    if (word === "#") {
      if (at === pattern.length - 1) return true;
      for (let skipped = from; skipped <= key.length; skipped++) {
        if (matches(pattern, at + 1, key, skipped)) return true;
      }
      return false;
    }
    if (from === key.length || (word !== "*" && word !== key[from])) return false;
  }
  return from === key.length;
}
