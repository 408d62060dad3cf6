import { type Config, isMapping } from "./file.ts";
import { placeOf } from "./place.ts";
import type { ConfigValue } from "./yaml.ts";
import { ConfigurationError } from "../message/errors.ts";
import { isSecretKey, MASK, maskSecrets } from "../log/secrets.ts";

/** A mapping of the configuration, with the path that messages name. */
export class Section {
  readonly values: Config;
  readonly #path: string;

  constructor(values: Config, path: string) {
    this.values = values;
    this.#path = path;
  }

  get(key: string): Exclude<ConfigValue, null> | undefined {
    return Object.hasOwn(this.values, key) ? this.values[key] ?? undefined : undefined;
  }

  text(key: string, pattern = /./, expected = "text that is not empty"): string | undefined {
    const value = this.get(key);
    if (value === undefined || (typeof value === "string" && pattern.test(value))) return value;
    return this.refuse(key, expected);
  }

  texts(key: string): readonly string[] | undefined {
    const value = this.get(key);
    return value === undefined || isTexts(value) ? value : this.refuse(key, "a list of names");
  }

  flag(key: string): boolean | undefined {
    const value = this.get(key);
    return value === undefined || typeof value === "boolean" ? value : this.refuse(key, "true or false");
  }

  integer(key: string, least = -Infinity): number | undefined {
    const value = this.get(key);
    if (value === undefined || (Number.isInteger(value) && (value as number) >= least)) {
      return value as number;
    }
    return this.refuse(key, least === -Infinity ? "an integer" : `an integer, ${least} or more`);
  }

  /** A duration, written in seconds. */
  milliseconds(key: string): number | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value === "number" && value >= 0 && value < Infinity) return value * 1_000;
    return this.refuse(key, "a number of seconds, 0 or more");
  }

  section(key: string): Section | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    return isMapping(value) ? new Section(value, `${this.#path}${key}.`) : this.refuse(key, "a mapping");
  }

  /** Names a key and its line, or that of an entry in its value. */
  describe(key: string, entry?: string): string {
    const value = this.get(key);
    const inner = entry === undefined || !isMapping(value) ? undefined : placeOf(value, entry);
    const place = inner ?? placeOf(this.values, key);
    return `config key "${this.#path}${key}"${place === undefined ? "" : ` in ${place}`}`;
  }

  refuse(key: string, expected: string): never {
    const value = this.get(key);
    const shown = isSecretKey(key) ? MASK : JSON.stringify(maskSecrets(value));
    throw new ConfigurationError(
      `Cannot use ${this.describe(key)}: got ${shown.slice(0, 200)}, expected ${expected}`,
    );
  }
}

function isTexts(value: ConfigValue): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
