/** The options of a cache, their defaults and their one check. */
import { type Duration, millisecondsOf, OR_TEXT } from "../../runtime/waiting/duration.ts";
import { isTexts, type PlainRecord } from "../../runtime/message/plain.ts";
import { MOST_TAG, MOST_TAGS } from "./frame.ts";
import type { NearOptions } from "./near/near_level.ts";

/** Options of a cache, whatever it caches. */
export interface StoreOptions {
  /**
   * Name of the cache in its service. Dependencies of one service that have the same name share their values; other
   * services never see them.
   *
   * @default {the key of the dependency}
   */
  readonly name?: string;
  /** Where the values are that all threads share. @default {what `CACHE` names in the configuration, else memory} */
  readonly store?: "memory" | "redis";
  /**
   * What each thread keeps for itself, so that a hit asks nobody; `false` keeps nothing there. `for` is the longest time
   * for which a thread may miss that another process has changed a value, in milliseconds.
   *
   * @default {{ entries: 1_000, bytes: 8 MiB, for: 1_000 }}
   */
  readonly near?: Partial<Omit<NearOptions, "for"> & { readonly for: Duration }> | false;
  /** Milliseconds that a value may take to be loaded. @default {30_000} */
  readonly loadLimit?: Duration;
}

/** How long a value lives. */
export interface LifetimeOptions {
  /** Milliseconds for which a value is fresh. @default {60_000} */
  readonly ttl?: Duration;
  /**
   * Milliseconds after that in which the value is still served, while one thread loads it again (HTTP calls this
   * stale-while-revalidate).
   *
   * @default {0}
   */
  readonly staleFor?: Duration;
}

/** How long a value lives, in milliseconds. */
export type Lifetime = { readonly [Name in keyof LifetimeOptions]-?: number };

/** How long one value lives, and how it can be deleted. */
export interface ValueOptions extends LifetimeOptions {
  /** Up to 16 names under which the value can be deleted together with others. @default {[]} */
  readonly tags?: readonly string[];
}

/** Options of a cache as its threads have them. */
export interface ThreadOptions {
  readonly near: NearOptions | undefined;
  readonly loadLimit: number;
}

const NEAR: NearOptions = { entries: 1_000, bytes: 8 * 1024 * 1024, for: 1_000 };

const STORE_OPTIONS = ["name", "store", "near", "loadLimit"];

const NAME = /^[\w.-]{1,100}$/;

/** A year: longer times are mistakes in the unit. */
const LONGEST = 366 * 86_400_000;

/**
 * Checks the options of a cache, and gives those of the main thread and those of the threads.
 *
 * @param own Names of the options that only this kind of cache has.
 * @throws {TypeError} If an option is not known or has another type.
 * @throws {RangeError} If a number makes no sense.
 */
export function storeOptions(
  what: string,
  { name, store, near = {}, loadLimit = 30_000, ...others }: StoreOptions,
  own: readonly string[],
): { readonly manifest: PlainRecord; readonly thread: ThreadOptions } {
  requireKnown(what, others, own, [...STORE_OPTIONS, ...own]);
  if (name !== undefined && !(typeof name === "string" && NAME.test(name))) {
    throw new TypeError(
      `Cannot use ${what}: its name is no name. Use up to 100 letters, digits, dots and dashes`,
    );
  }
  if (store !== undefined && store !== "memory" && store !== "redis") {
    throw new TypeError(`Cannot use ${what}: its store is ${shown(store)}. Use "memory" or "redis"`);
  }
  return {
    manifest: { ...(name !== undefined && { name }), ...(store !== undefined && { store }) },
    thread: {
      near: near === false ? undefined : nearOptions(what, near),
      loadLimit: requireDuration(what, "loadLimit", loadLimit),
    },
  };
}

function nearOptions(what: string, near: Exclude<StoreOptions["near"], false | undefined>): NearOptions {
  requireKnown(`near of ${what}`, near, Object.keys(NEAR), Object.keys(NEAR));
  const options = { ...NEAR, ...near };
  for (const name of ["entries", "bytes"] as const) {
    if (Number.isInteger(options[name]) && options[name] > 0) continue;
    throw new RangeError(
      `Cannot use ${what}: near.${name} is ${shown(options[name])}. Use an integer, 1 or more`,
    );
  }
  return { ...options, for: requireDuration(what, "near.for", options.for) };
}

/**
 * Checks for how long a value lives.
 *
 * @throws {RangeError} If a number makes no sense.
 */
export function lifetime(
  what: string,
  { ttl = 60_000, staleFor = 0 }: LifetimeOptions,
): Lifetime {
  return {
    ttl: requireDuration(what, "ttl", ttl),
    staleFor: staleFor === 0 ? 0 : requireDuration(what, "staleFor", staleFor),
  };
}

/**
 * Checks tags.
 *
 * @throws {TypeError} If they are no tags, or too many.
 */
export function requireTags(
  what: string,
  tags: readonly string[],
  most: number = MOST_TAGS,
): readonly string[] {
  if (isTexts(tags) && tags.length <= most && tags.every((tag) => tag.length <= MOST_TAG)) return tags;
  throw new TypeError(
    `Cannot use ${what}: its tags are ${
      shown(tags)
    }. Use up to ${most} texts of up to ${MOST_TAG} characters`,
  );
}

/**
 * Checks a duration, and gives its milliseconds.
 *
 * @throws {RangeError} If it makes no sense.
 */
export function requireDuration(what: string, name: string, value: unknown): number {
  const milliseconds = millisecondsOf(value);
  if (milliseconds > 0 && milliseconds <= LONGEST) return milliseconds;
  throw new RangeError(
    `Cannot use ${what}: ${name} is ${
      shown(value)
    }. Use a positive number of milliseconds, up to a year, ${OR_TEXT}`,
  );
}

/**
 * Refuses options that are not known.
 *
 * @throws {TypeError} If there is one.
 */
export function requireKnown(
  what: string,
  given: object,
  allowed: readonly string[],
  known: readonly string[] = allowed,
): void {
  const unknown = Object.keys(given).find((option) => !allowed.includes(option));
  if (unknown === undefined) return;
  throw new TypeError(
    `Cannot use ${what}: there is no option "${unknown}". The options are ${known.join(", ")}`,
  );
}

/** Shows a value in a message. */
export function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value)).slice(0, 100);
}
