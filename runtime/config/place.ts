/**
 * What is known of the keys of a configuration beside their values, for messages about these keys: where they stand,
 * and which variables they lack.
 *
 * A copy of a mapping knows nothing of its keys until {@linkcode keepPlaces} notes it.
 */
import { given, isRecord, type PlainRecord } from "../message/plain.ts";

/** Where a key stands. */
export interface Place {
  /** Path of the file, as it was given. */
  readonly file: string;
  /** Number of the line, of which the first is 1. */
  readonly line: number;
}

/** What is known of a key. */
export interface KeyOrigin {
  readonly place?: Place;
  /** Names of variables that are named in the value without a default, and that are not set. */
  readonly unset?: readonly string[];
  /** Name of the source that has set the key, such as `--define`. Only keys of the top level have it. */
  readonly source?: string;
}

/** What is known of the keys of a mapping and of the mappings in it, as plain data. */
export interface PlainOrigins {
  readonly [key: string]: KeyOrigin & { readonly inner?: PlainOrigins };
}

const ORIGINS = new WeakMap<object, ReadonlyMap<string, KeyOrigin>>();

/** Notes where the keys of a mapping stand. */
export function recordPlaces(mapping: object, places: ReadonlyMap<string, Place>): void {
  ORIGINS.set(mapping, new Map([...places].map(([key, place]) => [key, { place }])));
}

/** Notes that a variable is not set which a value names: that of the last key of a path. */
export function recordUnset(config: object, path: readonly string[], name: string): void {
  let mapping = config;
  for (const [depth, key] of path.entries()) {
    const inner = Reflect.get(mapping, key);
    if (depth < path.length - 1 && isRecord(inner)) {
      mapping = inner;
      continue;
    }
    const origins = new Map(ORIGINS.get(mapping));
    const { unset = [], ...origin } = origins.get(key) ?? {};
    ORIGINS.set(mapping, origins.set(key, { ...origin, unset: [...unset, name] }));
    return;
  }
}

/** Notes which sources have set the keys of a configuration. */
export function recordSources(config: object, sources: ReadonlyMap<string, string>): void {
  const origins = new Map(ORIGINS.get(config));
  for (const [key, source] of sources) origins.set(key, { ...origins.get(key), source });
  ORIGINS.set(config, origins);
}

/** Says what has set the value at a path: the line of a file, such as `app.yaml:7`, or the source of its first key. */
export function originOf(config: object, path: readonly string[]): string {
  let mapping: unknown = config;
  let origin = ORIGINS.get(config)?.get(path[0]!)?.source ?? "the program";
  for (const key of path) {
    if (!isRecord(mapping)) break;
    const place = placeOf(mapping, key);
    if (place !== undefined) origin = `${place.file}:${place.line}`;
    mapping = mapping[key];
  }
  return origin;
}

/** Returns where a key stands, or undefined if the key comes from no file. */
export function placeOf(mapping: object, key: string): Place | undefined {
  return ORIGINS.get(mapping)?.get(key)?.place;
}

/** Names the variables that a value, or a value in it, lacks. */
export function unsetIn(mapping: object, key: string): readonly string[] {
  const value: unknown = Reflect.get(mapping, key);
  const own = ORIGINS.get(mapping)?.get(key)?.unset ?? [];
  return isRecord(value) ? [...own, ...Object.keys(value).flatMap((inner) => unsetIn(value, inner))] : own;
}

/** Notes what is known of those keys whose values a changed copy has kept. Returns the copy. */
export function keepPlaces<T extends object>(copy: T, ...originals: readonly object[]): T {
  const kept = originals.flatMap((original) =>
    [...ORIGINS.get(original) ?? []].filter(([key]) => Reflect.get(copy, key) === Reflect.get(original, key))
  );
  if (kept.length > 0) ORIGINS.set(copy, new Map(kept));
  return copy;
}

/** Gives what is known of the keys of a mapping, for another thread; undefined if that is nothing. */
export function plainOrigins(mapping: object): PlainOrigins | undefined {
  const origins: Record<string, PlainOrigins[string]> = Object.create(null);
  for (const [key, value] of Object.entries(mapping)) {
    const { place, unset } = ORIGINS.get(mapping)?.get(key) ?? {};
    const inner = isRecord(value) ? plainOrigins(value) : undefined;
    if (place ?? unset ?? inner) origins[key] = given({ place, unset, inner });
  }
  return Object.keys(origins).length === 0 ? undefined : { ...origins };
}

/** Notes what another thread knows of the keys of a mapping, if it knows something. Returns the mapping. */
export function withOrigins(mapping: PlainRecord, origins: PlainOrigins = {}): PlainRecord {
  ORIGINS.set(mapping, new Map(Object.entries(origins)));
  for (const [key, { inner }] of Object.entries(origins)) {
    const value = mapping[key];
    if (inner !== undefined && isRecord(value)) withOrigins(value, inner);
  }
  return mapping;
}
