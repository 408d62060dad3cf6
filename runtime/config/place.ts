/** Where the keys of a configuration stand, for messages about them. Copies of a mapping have to be told. */

const PLACES = new WeakMap<object, ReadonlyMap<string, string>>();

/** Notes where the keys of a mapping stand, such as `line 7 of app.yaml`. */
export function recordPlaces(mapping: object, places: ReadonlyMap<string, string>): void {
  PLACES.set(mapping, places);
}

/** Where a key stands; undefined if it comes from no file. */
export function placeOf(mapping: object, key: string): string | undefined {
  return PLACES.get(mapping)?.get(key);
}

/** Notes for a changed copy where the keys stand whose values it has kept; returns the copy. */
export function keepPlaces<T extends object>(copy: T, original: object): T {
  const places = PLACES.get(original);
  if (places === undefined) return copy;
  const kept = [...places].filter(([key]) => Reflect.get(copy, key) === Reflect.get(original, key));
  PLACES.set(copy, new Map(kept));
  return copy;
}
