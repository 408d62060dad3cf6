/** Splits a text at its spaces, but not inside JSON: `orders.place {"sku": 7} express=true` has three words. */
export function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  let word = "";
  let depth = 0;
  for (const [part] of text.matchAll(PART)) {
    if (part.trim() === "" && depth === 0) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    if (/^[[{]/.test(part)) depth++;
    if (/^[\]}]/.test(part)) depth--;
    word += part;
  }
  return word === "" ? words : [...words, word];
}

/** A text in double quotes, a bracket, spaces, or what stands between them. */
const PART = /"(?:\\.|[^"\\])*"|[[\]{}]|\s+|[^\s[\]{}"]+|"/gs;
