/**
 * `${NAME}` and `${NAME:default}` in configuration text, by Nameko's grammar. Nameko has this grammar when
 * Python's `regex` module is installed.
 *
 * NAME is any text without braces, colons and white space. A default may hold more references, and also
 * braces, as long as the braces form pairs. A text that does not fit the grammar (`$X`, `${}`, `${ X }`,
 * `${:x}`) is literal, and there is no escape. A variable that is set wins over its default, even if the
 * variable is empty.
 *
 * Invariant: expansion ends. Nameko expands a default again and again until no `${…}` is left. That never
 * ends if nothing changes (`${X:${}}`) or if variables name each other. Here expansion ends with the first
 * round that changes nothing, and every scalar has a budget of look-ups.
 */
import { ConfigurationError } from "../message/errors.ts";

/** Source of variables, such as `Deno.env` or a `Map`. */
export interface Environment {
  get(name: string): string | undefined;
}

/** The number of look-ups that one scalar may still make, together with all its nested references. */
export interface LookupBudget {
  left: number;
  /** Variables that are not set and have no default, so that nothing takes their place. */
  readonly unset: Set<string>;
}

const LOOKUPS_PER_SCALAR = 1_000;
const NAME_CHARACTER = /[^{}:\s]/;

/** Makes a fresh budget for the references of one scalar. */
export function lookupBudget(): LookupBudget {
  return { left: LOOKUPS_PER_SCALAR, unset: new Set() };
}

/** Returns whether a plain scalar needs expansion: its first line holds something like a reference. */
export function mayHoldReference(text: string): boolean {
  const lineEnd = text.indexOf("\n");
  const line = lineEnd === -1 ? text : text.slice(0, lineEnd);
  const start = line.indexOf("${");
  return start !== -1 && line.lastIndexOf("}") > start;
}

/**
 * Replaces every reference by the text of its variable, or by its expanded default.
 *
 * The function does not expand the text of a variable again, unless that text came out of a default.
 *
 * @throws {ConfigurationError} If the variables refer to each other without end.
 */
export function expandReferences(text: string, env: Environment, budget: LookupBudget): string {
  let expanded = "";
  let copied = 0;
  let start = text.indexOf("${");
  let closing: ReadonlyMap<number, number> | undefined;
  while (start !== -1) {
    closing ??= closingBraces(text);
    const reference = parseReference(text, start, closing);
    if (reference === undefined) {
      start = text.indexOf("${", start + 1);
      continue;
    }
    expanded += text.slice(copied, start) + valueOf(reference, env, budget);
    copied = reference.end;
    start = text.indexOf("${", copied);
  }
  return expanded + text.slice(copied);
}

interface Reference {
  readonly name: string;
  /** Text of the default; undefined if there is none. */
  readonly fallback: string | undefined;
  /** Index just after the closing brace. */
  readonly end: number;
}

function valueOf({ name, fallback }: Reference, env: Environment, budget: LookupBudget): string {
  if (budget.left-- <= 0) {
    throw new ConfigurationError(`the variable "${name}" refers to itself, directly or through others`);
  }
  const value = /[=\0]/.test(name) ? undefined : env.get(name);
  if (value !== undefined) return value;
  if (fallback !== undefined) return expandFallback(fallback, env, budget);
  budget.unset.add(name);
  return "";
}

function expandFallback(fallback: string, env: Environment, budget: LookupBudget): string {
  let value = fallback;
  while (mayHoldReference(value)) {
    const next = expandReferences(value, env, budget);
    if (next === value) break;
    value = next;
  }
  return value;
}

function parseReference(
  text: string,
  start: number,
  closing: ReadonlyMap<number, number>,
): Reference | undefined {
  let at = start + 2;
  while (at < text.length && NAME_CHARACTER.test(text[at]!)) at++;
  const name = text.slice(start + 2, at);
  if (name === "") return undefined;
  if (text[at] === "}") return { name, fallback: undefined, end: at + 1 };
  if (text[at] !== ":") return undefined;
  const close = closing.get(start + 1);
  return close === undefined ? undefined : { name, fallback: text.slice(at + 1, close), end: close + 1 };
}

/** Returns the index of the brace that closes each opening brace, by the index of that one. */
function closingBraces(text: string): ReadonlyMap<number, number> {
  const closing = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "{") open.push(at);
    else if (text[at] === "}" && open.length > 0) closing.set(open.pop()!, at);
  }
  return closing;
}
