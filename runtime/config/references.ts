/**
 * `${NAME}` and `${NAME:default}` in configuration text, by Nameko's grammar (the one it has when Python's
 * `regex` module is installed).
 *
 * NAME is anything without braces, colons and white space. A default may hold further references and braces,
 * as long as the braces pair up. What does not fit the grammar (`$X`, `${}`, `${ X }`, `${:x}`) is literal
 * text, and there is no escape. A variable that is set wins over its default even when it is empty.
 *
 * Invariant: expansion ends. Nameko expands a default again and again until no `${…}` is left, which is for
 * ever when nothing changes (`${X:${}}`) or when variables name each other. Here a round without a change is
 * the last one, and every scalar has a budget of look-ups.
 */
import { ConfigurationError } from "../message/errors.ts";

/** Where variables come from; `Deno.env` is one, and so is a `Map`. */
export interface Environment {
  get(name: string): string | undefined;
}

/** How many more look-ups one scalar may make, all its nested references included. */
export interface LookupBudget {
  left: number;
}

const LOOKUPS_PER_SCALAR = 1_000;
const REFERENCE_INSIDE = /^[^\n]*\$\{[^\n]*\}/;
const NAME_CHARACTER = /[^{}:\s]/;

/** A fresh budget, for the references of one scalar. */
export function lookupBudget(): LookupBudget {
  return { left: LOOKUPS_PER_SCALAR };
}

/** Whether a plain scalar is to be expanded: something like a reference stands in its first line. */
export function mayHoldReference(text: string): boolean {
  return REFERENCE_INSIDE.test(text);
}

/**
 * Replaces every reference by its variable's text, or by its expanded default.
 *
 * The text of a variable is not expanded again here, unless it came out of a default.
 *
 * @throws {ConfigurationError} If the variables refer to each other without end.
 */
export function expandReferences(text: string, env: Environment, budget: LookupBudget): string {
  let expanded = "";
  let copied = 0;
  let start = text.indexOf("${");
  while (start !== -1) {
    const reference = parseReference(text, start);
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
  readonly fallback: string;
  /** Index just after the closing brace. */
  readonly end: number;
}

function valueOf({ name, fallback }: Reference, env: Environment, budget: LookupBudget): string {
  if (budget.left-- <= 0) {
    throw new ConfigurationError(`the variable "${name}" refers to itself, directly or through others`);
  }
  const value = /[=\0]/.test(name) ? undefined : env.get(name);
  return value ?? expandFallback(fallback, env, budget);
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

function parseReference(text: string, start: number): Reference | undefined {
  let at = start + 2;
  while (at < text.length && NAME_CHARACTER.test(text[at]!)) at++;
  const name = text.slice(start + 2, at);
  if (name === "") return undefined;
  if (text[at] === "}") return { name, fallback: "", end: at + 1 };
  if (text[at] !== ":") return undefined;
  const close = closingBrace(text, at + 1);
  return close === -1 ? undefined : { name, fallback: text.slice(at + 1, close), end: close + 1 };
}

function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "{") depth++;
    else if (text[at] === "}" && depth-- === 0) return at;
  }
  return -1;
}
