import { millisecondsOf, OR_TEXT } from "../waiting/duration.ts";
import { ConfigurationError } from "../message/errors.ts";
import { isRecord, isTexts, type Plain, type PlainRecord } from "../message/plain.ts";
import { isSecretKey, MASK, maskSecrets } from "../log/secrets.ts";
import { type Place, placeOf, unsetIn } from "./place.ts";

/** What people may know of a setting, beside its checks. */
export interface Setting {
  readonly kind: "text" | "number" | "flag" | "duration" | "list" | "mapping";
  /** The value that has the same effect as none. @default {there is none, or another key has it} */
  readonly default?: Plain;
  /** What it is, as the end of a sentence. */
  readonly about: string;
}

/**
 * The settings of an owner by their paths, such as `TRANSPORT_OPTIONS.check_interval`. A `*` stands for names of the
 * user's own. A test holds each table to what its owner reads, and its defaults to what they do.
 */
export type SettingTable = Readonly<Record<string, Setting>>;

/** Gives the same settings below a path, such as `services.*`. */
export function settingsBelow(path: string, table: SettingTable): SettingTable {
  return Object.fromEntries(Object.entries(table).map(([key, setting]) => [`${path}.${key}`, setting]));
}

/**
 * A mapping of the configuration, as the owner of some of its keys reads it.
 *
 * A section checks the values that it gives, and names key, line and file of a wrong value. Null counts as
 * absent everywhere, because a reference to an unset variable is null. A section remembers the keys that
 * somebody has asked for. So it can list the other keys, which are mistyped or have no effect.
 */
export class Section {
  /** The values as they stand in the configuration. */
  readonly values: PlainRecord;
  readonly #path: string;
  readonly #asked = new Set<string>();

  /**
   * Makes a reader of some values of the configuration.
   *
   * @param path The text before a key in messages, such as `services.orders.`.
   */
  constructor(values: PlainRecord, path = "") {
    this.values = values;
    this.#path = path;
  }

  /** The keys that somebody has asked for, whether they are set or not. */
  get asked(): ReadonlySet<string> {
    return this.#asked;
  }

  /** The keys that are set and that nobody has asked for. */
  get others(): readonly string[] {
    return Object.keys(this.values).filter((key) => !this.#asked.has(key));
  }

  /** Gives a value as it is; undefined if it is missing or null. */
  get(key: string): Exclude<Plain, null> | undefined {
    this.#asked.add(key);
    return Object.hasOwn(this.values, key) ? this.values[key] ?? undefined : undefined;
  }

  /** Gives a text; undefined if it is missing. */
  text(key: string, pattern = /./, expected = "text that is not empty"): string | undefined {
    const value = this.get(key);
    if (value === undefined || (typeof value === "string" && pattern.test(value))) return value;
    return this.refuse(key, expected);
  }

  /** Gives a list of texts; undefined if it is missing. */
  texts(key: string): readonly string[] | undefined {
    const value = this.get(key);
    return value === undefined || isTexts(value) ? value : this.refuse(key, "a list of names");
  }

  /** Gives `true` or `false`; undefined if it is missing. */
  flag(key: string): boolean | undefined {
    const value = this.get(key);
    return value === undefined || typeof value === "boolean" ? value : this.refuse(key, "true or false");
  }

  /** Gives an integer of at least `least`; undefined if it is missing. */
  integer(key: string, least = -Infinity): number | undefined {
    const value = this.get(key);
    if (value === undefined || (Number.isInteger(value) && (value as number) >= least)) {
      return value as number;
    }
    return this.refuse(key, least === -Infinity ? "an integer" : `an integer, ${least} or more`);
  }

  /**
   * Reads a duration, whose bare numbers are seconds, and returns it in milliseconds.
   *
   * @param least The shortest, in milliseconds. @default {0}
   */
  milliseconds(key: string, least = 0): number | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    const duration = millisecondsOf(value, 1_000);
    if (duration >= least && duration < Infinity) return duration;
    return this.refuse(key, `a number of seconds, ${least / 1_000} or more, ${OR_TEXT}`);
  }

  /** Gives a reader of the values below a key; undefined if it is missing. */
  section(key: string): Section | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    return isRecord(value) ? new Section(value, `${this.#path}${key}.`) : this.refuse(key, "a mapping");
  }

  /** Names a key and its place in the file. With `entry`, the place is that of an entry in its value. */
  describe(key: string, entry?: string): string {
    const value = this.values[key];
    const inner = entry === undefined || !isRecord(value) ? undefined : placeOf(value, entry);
    const place = inner ?? placeOf(this.values, key);
    return `config key "${this.#path}${key}"${
      place === undefined ? "" : ` in line ${place.line} of ${place.file}`
    }`;
  }

  /** Where a key stands; undefined if it comes from no file. */
  place(key: string): Place | undefined {
    return placeOf(this.values, key);
  }

  /** Says that the value of a key lacks a variable, if it does. */
  unsetVariable(key: string): string | undefined {
    const [name] = unsetIn(this.values, key);
    return name === undefined ? undefined : `variable "${name}" is not set. ${wayOut(name)}`;
  }

  /**
   * Refuses a key whose value lacks a variable. It is for values without which the program would do something else than
   * what is meant, such as using the broker of this machine.
   *
   * @throws {ConfigurationError} If a variable that the value names without a default is not set.
   */
  requireVariables(key: string): void {
    const state = this.unsetVariable(key);
    if (state !== undefined) throw new ConfigurationError(`Cannot use ${this.describe(key)}: ${state}`);
  }

  /**
   * Refuses the value of a key.
   *
   * @throws {ConfigurationError} Always. The message has the key, its line, its value, and what is expected.
   */
  refuse(key: string, expected: string): never {
    const value = this.values[key];
    const shown = isSecretKey(key) ? MASK : JSON.stringify(maskSecrets(value));
    const state = this.unsetVariable(key);
    throw new ConfigurationError(
      `Cannot use ${this.describe(key)}: got ${shown.slice(0, 200)}, expected ${expected}${
        state === undefined ? "" : `: ${state}`
      }`,
    );
  }

  /**
   * Refuses the keys that nobody has asked for.
   *
   * @throws {ConfigurationError} If there is such a key. The message lists the keys that were asked for.
   */
  refuseOthers(): void {
    const [other] = this.others;
    if (other !== undefined) this.refuse(other, `nothing: the keys here are ${[...this.#asked].join(", ")}`);
  }
}

/** Says what to do about a variable that is not set. */
export function wayOut(name: string): string {
  return `Set it, or name a default: \${${name}:default}`;
}
