/**
 * The places of the keys of a configuration, for messages about these keys.
 *
 * A copy of a mapping has no places until {@linkcode keepPlaces} notes them.
 */

const PLACES = new WeakMap<object, ReadonlyMap<string, string>>();

/** Notes where the keys of a mapping stand, such as `line 7 of app.yaml`. */
export function recordPlaces(mapping: object, places: ReadonlyMap<string, string>): void {
  PLACES.set(mapping, places);
}

/** Returns where a key stands, or undefined if the key comes from no file. */
export function placeOf(mapping: object, key: string): string | undefined {
  return PLACES.get(mapping)?.get(key);
}

/** Notes the places of those keys whose values a changed copy has kept. Returns the copy. */
export function keepPlaces<T extends object>(copy: T, original: object): T {
  const places = PLACES.get(original);
  if (places === undefined) return copy;
  const kept = [...places].filter(([key]) => Reflect.get(copy, key) === Reflect.get(original, key));
  PLACES.set(copy, new Map(kept));
  return copy;
}
