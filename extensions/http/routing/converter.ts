/** The kinds of variables that a rule may have: Nameko's converters, which are werkzeug's. */
import type { PlainRecord } from "../../../runtime/message/plain.ts";

/** The place of a converter's rule among the rules that match: a lower weight comes earlier. */
export type Weight = 1 | 2 | 3;

/** Recognises and reads one variable. */
export interface Converter {
  /**
   * Source of a regular expression without capturing groups. It may match more than the converter takes, but
   * never less.
   */
  readonly pattern: string;
  readonly weight: Weight;
  readonly takesSlashes?: true;
  /**
   * Stands for the values that the pattern matches and the converter refuses. It is equal for converters that
   * refuse the same values.
   *
   * @default {nothing}
   */
  readonly constraint?: string;
  /** Reads the decoded text of the URL; undefined if the text does not fit. */
  readonly convert: (text: string) => string | number | undefined;
  /** The values that the converter takes, as JSON Schema. */
  readonly schema: PlainRecord;
}

/** Arguments by name. An argument without a name has its position as a name. */
type Arguments = ReadonlyMap<string, string>;

/** The converter of `:id`. It takes a whole segment, with all that is encoded there, slashes included. */
export const SEGMENT: Converter = {
  pattern: "[^/]+",
  weight: 2,
  convert: (text) => text,
  schema: { type: "string" },
};

const CONVERTERS: Readonly<Record<string, (given: Arguments) => Converter>> = {
  string: text,
  default: text,
  int: (given) => numeric(given, String.raw`\d+`, Number.isSafeInteger, { type: "integer" }),
  float: (given) =>
    numeric(given, String.raw`\d+\.\d+`, Number.isFinite, {
      type: "number",
      description: "Written with a decimal point and a digit after it",
    }),
  path: (given) => {
    expectArguments(given, []);
    return {
      pattern: "[^/].*",
      weight: 3,
      takesSlashes: true,
      convert: (text) => text,
      schema: { type: "string", description: "May contain slashes" },
    };
  },
  uuid: (given) => {
    expectArguments(given, []);
    return {
      pattern: "[0-9A-Fa-f-]+",
      weight: 1,
      convert: (text) => UUID_REGEXP.test(text) ? text : undefined,
      schema: { type: "string", format: "uuid" },
    };
  },
  any: (given) => {
    const items = new Set(given.values());
    if (items.size === 0) throw new Error("any needs at least one item, like any(a,b)");
    const pattern = `(?:${[...items].map((item) => escapePattern(encodeURIComponent(item))).join("|")})`;
    return {
      pattern,
      weight: 1,
      convert: (text) => items.has(text) ? text : undefined,
      schema: { type: "string", enum: [...items] },
    };
  },
};

const UUID_REGEXP = /^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$/;

/**
 * Returns the converter that a source such as `int` or `int(min=1)` names.
 *
 * @throws {Error} If there is no such converter, or if its arguments make no sense.
 */
export function parseConverter(source: string): Converter {
  const [, name = "", given = ""] = /^(\w+)(?:\((.*)\))?$/.exec(source) ?? [];
  if (!Object.hasOwn(CONVERTERS, name)) {
    throw new Error(
      `there is no converter "${source}"; there are string, int, float, path, uuid and any(a,b)`,
    );
  }
  const args = parseArguments(given);
  const converter = CONVERTERS[name]!(args);
  return args.size === 0 ? converter : { ...converter, constraint: JSON.stringify([...args].sort()) };
}

/** Returns a pattern that matches exactly this text. */
export function escapePattern(text: string): string {
  return text.replace(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`);
}

function parseArguments(source: string): Arguments {
  const words = source.split(",").map((word) => word.trim()).filter((word) => word !== "");
  return new Map(words.map((word, index) => {
    const name = /^\w+\s*=/.exec(word)?.[0] ?? "";
    const value = word.slice(name.length).trim().replace(/^["']/, "").replace(/["']$/, "");
    return [name === "" ? String(index) : name.slice(0, -1).trim(), value];
  }));
}

function expectArguments(given: Arguments, known: readonly string[]): void {
  for (const name of given.keys()) {
    if (!known.includes(name)) {
      throw new Error(`the argument ${name} is not known; the converter takes ${known.join(", ") || "none"}`);
    }
  }
}

function numberOf(given: Arguments, name: string, otherwise: number): number {
  const text = given.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text === "" || Number.isNaN(value)) throw new Error(`${name} must be a number, got "${text}"`);
  return value;
}

/** Takes a segment that contains no encoded slash, as in Nameko. */
function text(given: Arguments): Converter {
  expectArguments(given, ["length", "minlength", "maxlength"]);
  const shortest = numberOf(given, "length", numberOf(given, "minlength", 1));
  const longest = numberOf(given, "length", numberOf(given, "maxlength", Infinity));
  return {
    ...SEGMENT,
    convert: (text) =>
      text.includes("/") || text.length < shortest || text.length > longest ? undefined : text,
    schema: {
      type: "string",
      ...(shortest > 1 && { minLength: shortest }),
      ...(longest < Infinity && { maxLength: longest }),
    },
  };
}

function numeric(
  given: Arguments,
  pattern: string,
  accept: (value: number) => boolean,
  schema: PlainRecord,
): Converter {
  expectArguments(given, ["min", "max", "signed"]);
  const least = numberOf(given, "min", -Infinity);
  const most = numberOf(given, "max", Infinity);
  const signed = /^true$/i.test(given.get("signed") ?? "");
  const minimum = signed ? least : Math.max(least, 0);
  return {
    pattern: signed ? `-?${pattern}` : pattern,
    weight: 1,
    convert(text) {
      const value = Number(text);
      return accept(value) && value >= least && value <= most ? value : undefined;
    },
    schema: { ...schema, ...(minimum > -Infinity && { minimum }), ...(most < Infinity && { maximum: most }) },
  };
}
