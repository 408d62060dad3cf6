/** What a variable of a rule may be: Nameko's converters, which are werkzeug's. */
import type { PlainRecord } from "../../../runtime/message/plain.ts";

/** Where it stands among the rules that match: the lower, the earlier. */
export type Weight = 1 | 2 | 3;

/** Recognises and reads one variable. */
export interface Converter {
  /** Source of a regular expression without groups that capture; it may match too much, never too little. */
  readonly pattern: string;
  readonly weight: Weight;
  readonly takesSlashes?: true;
  /** What it refuses beside what its pattern does; equal for those that refuse the same. @default {nothing} */
  readonly constraint?: string;
  /** Reads the text of the URL, decoded; undefined where it does not fit. */
  readonly convert: (text: string) => string | number | undefined;
  /** What it takes, as JSON Schema. */
  readonly schema: PlainRecord;
}

/** Arguments by name; those without a name by position. */
type Arguments = ReadonlyMap<string, string>;

/** What `:id` takes: a segment, and what is encoded in it. */
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
      description: "Written with a decimal point and a digit behind it",
    }),
  path: (given) => {
    expectArguments(given, []);
    return {
      pattern: "[^/].*",
      weight: 3,
      takesSlashes: true,
      convert: (text) => text,
      schema: { type: "string", description: "May have slashes in it" },
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
 * The converter of that name, such as `int` or `int(min=1)`.
 *
 * @throws {Error} If there is none, or its arguments make no sense.
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

/** Text as a pattern that matches just it. */
export function escapePattern(text: string): string {
  return text.replace(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`);
}

function parseArguments(source: string): Arguments {
  const words = source.split(",").map((word) => word.trim()).filter((word) => word !== "");
  return new Map(words.map((word, index) => {
    const [, name = String(index), value = ""] = /^(?:(\w+)\s*=\s*)?["']?(.*?)["']?$/.exec(word) ?? [];
    return [name, value];
  }));
}

function expectArguments(given: Arguments, known: readonly string[]): void {
  for (const name of given.keys()) {
    if (!known.includes(name)) {
      throw new Error(`the argument ${name} is not known; there are ${known.join(", ") || "none"}`);
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

/** A segment without an encoded slash in it, as in Nameko. */
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
