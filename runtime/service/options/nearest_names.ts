/** The most letters in which a mistyped name may differ. */
const MISTYPED = 2;

/** The most names that are suggested. */
const SUGGESTIONS = 3;

/** The most letters of names that are compared. */
const LENGTH = 64;

/** Finds the known names that somebody may have meant who has written `name`, the nearest first. */
export function nearestNames(name: string, known: Iterable<string>): readonly string[] {
  if (name.length > LENGTH) return [];
  const written = name.toLowerCase();
  const limit = Math.min(MISTYPED, Math.floor(name.length / 2));
  return [...known]
    .filter((each) => Math.abs(each.length - name.length) <= limit)
    .map((each) => ({ each, distance: distanceOf(written, each.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SUGGESTIONS)
    .map(({ each }) => each);
}

/** Writes a suggestion behind the end of a message; an empty text if there is none. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? "" : `. Did you mean ${names.join(" or ")}?`;
}

/** Counts the letters to add, to leave out or to replace. Two neighbours that changed places count as one. */
function distanceOf(one: string, other: string): number {
  let before: number[] = [];
  let above = Array.from({ length: other.length + 1 }, (_, place) => place);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let place = 1; place <= other.length; place++) {
      const same = one[row - 1] === other[place - 1];
      let least = Math.min(above[place]! + 1, current[place - 1]! + 1, above[place - 1]! + (same ? 0 : 1));
      const swapped = row > 1 && place > 1 && one[row - 1] === other[place - 2] &&
        one[row - 2] === other[place - 1];
      if (swapped) least = Math.min(least, before[place - 2]! + 1);
      current.push(least);
    }
    before = above;
    above = current;
  }
  return above[other.length]!;
}
