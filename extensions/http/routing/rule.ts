/**
 * Reads rules, which are the paths of entrypoints. A rule has one of two spellings: `/orders/:id`, or
 * Nameko's `/orders/<int:id>`.
 */
import { normalizePath } from "./percent_encoding.ts";
import { type Converter, escapePattern, parseConverter, SEGMENT } from "./converter.ts";

type Word<Text extends string> = Text extends `${infer Head}/${string}` ? Head : Text;

type Items<List extends string> = List extends `${infer Head},${infer Tail}` ? Trim<Head> | Items<Tail>
  : Trim<List>;

type Trim<Text extends string> = Text extends ` ${infer Rest}` ? Trim<Rest>
  : Text extends `${infer Rest} ` ? Trim<Rest>
  : Text;

type Converted<Name extends string> = Name extends "int" | "float" | `int(${string}` | `float(${string}`
  ? number
  : Name extends `any(${infer List})` ? Items<List>
  : string;

type Variable<Source extends string> = Source extends `${infer Name}:${infer Key}`
  ? { readonly [K in Key]: Converted<Name> }
  : { readonly [K in Source]: string };

/** @internal */
type Variables<Source extends string> = Source extends `${string}<${infer Inner}>${infer Rest}`
  ? Variable<Inner> & Variables<Rest>
  : Source extends `${string}/:${infer Rest}` ? { readonly [K in Word<Rest>]: string } & Variables<Rest>
  : unknown;

/** The variables of a rule by name: numbers for `int` and `float`, text for all others. */
export type RuleParams<Source extends string> = string extends Source
  ? Readonly<Record<string, string | number>>
  : { readonly [Key in keyof Variables<Source>]: Variables<Source>[Key] };

/** A part of a segment: a variable, or fixed text. */
export type RulePart = string | { readonly name: string; readonly converter: Converter };

/** A rule that has been read: its segments, which stand between slashes, each split into parts. */
export interface Rule {
  readonly source: string;
  readonly segments: readonly (readonly RulePart[])[];
  /** Whether the rule ends in a slash. A request may have forgotten this slash. */
  readonly folder: boolean;
}

/** Splits a rule at its slashes, but not at slashes within angle brackets. */
const SEGMENT_REGEXP = /(?:<[^>]*>|[^/<])+/g;

/** A code that the rule has already, and whose percent sign `encodeURI` has encoded once more. */
const ENCODED_TWICE = /%25([\dA-Fa-f]{2})/g;

const PART_REGEXP = /<([^>]*)>|[^<]+/g;

/**
 * Reads a rule.
 *
 * @throws {TypeError} If the rule makes no sense.
 */
export function parseRule(source: string): Rule {
  const refuse = (reason: string) =>
    new TypeError(`Cannot declare an HTTP entrypoint at "${source}": ${reason}`);
  if (!source.startsWith("/")) throw refuse("a rule begins with a slash");
  if (source.lastIndexOf("<") > source.lastIndexOf(">")) throw refuse("a bracket is not closed");
  const names = new Set<string>();
  const variable = (name: string, converter: Converter) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw refuse(`"${name}" cannot be the name of a variable`);
    if (names.has(name)) throw refuse(`it has two variables "${name}"`);
    names.add(name);
    return { name, converter };
  };
  const part = ([text, inner]: readonly string[]): RulePart => {
    if (inner !== undefined) {
      const [, converter = "string", name = ""] = /^(?:(.*):)?([^:]*)$/.exec(inner) ?? [];
      try {
        return variable(name, parseConverter(converter));
      } catch (error) {
        throw (error as Error).message.startsWith("Cannot ") ? error : refuse((error as Error).message);
      }
    }
    if (/[<>*?#{}\s]/.test(text!)) throw refuse(`"${text}" cannot be in a path`);
    try {
      decodeURI(text!);
    } catch {
      throw refuse(`"${text}" is wrongly encoded`);
    }
    return normalizePath(encodeURI(text!).replaceAll(ENCODED_TWICE, "%$1"));
  };
  const segments = (source.match(SEGMENT_REGEXP) ?? []).map((segment): readonly RulePart[] =>
    segment.startsWith(":")
      ? [variable(segment.slice(1), SEGMENT)]
      : [...segment.matchAll(PART_REGEXP)].map(part)
  );
  return { source, segments, folder: source.endsWith("/") && segments.length > 0 };
}

/** Writes a segment as a pattern. With `capture`, each variable is a capturing group. */
export function segmentPattern(parts: readonly RulePart[], capture: boolean): string {
  return parts.map((part) => {
    if (typeof part === "string") return escapePattern(part);
    return capture ? `(${part.converter.pattern})` : part.converter.pattern;
  }).join("");
}
