/**
 * Python's rules for fitting arguments to parameters, with exactly the texts that Nameko answers with.
 *
 * Nameko checks a request with `inspect.getcallargs`. The messages of that function differ from the messages
 * of the interpreter: they have no comma before the "and" of three names. Nameko also counts `self` as an
 * argument. Here the context takes the place of `self`.
 */
import { BadRequestError } from "../message/errors.ts";
import { isRecord } from "../message/plain.ts";
import type { Parameter } from "./declared/parameters.ts";

/**
 * Turns positional and keyword arguments into the list that a handler takes after its context.
 *
 * Without keyword arguments, the function returns `args` itself. A parameter that has a default and that the
 * caller left out is `undefined`. If `parameters` is undefined, any number of positional arguments fits, and
 * no keyword argument fits.
 *
 * @throws {BadRequestError} With reason `IncorrectSignature`, if the arguments do not fit.
 */
export function bindArguments(
  method: string,
  parameters: readonly Parameter[] | undefined,
  args: readonly unknown[],
  kwargs?: Readonly<Record<string, unknown>>,
): readonly unknown[] {
  let keywords = false;
  for (const _ in kwargs) {
    keywords = true;
    break;
  }
  if (parameters === undefined) {
    if (keywords) throw new BadRequestError(`${method}() takes no keyword arguments`);
    return args;
  }
  if (keywords) return bindKeywords(method, parameters, args, kwargs!);
  if (args.length > parameters.length && !hasRest(parameters)) refuseTooMany(method, parameters, args.length);
  let needed = parameters.length;
  while (needed > 0 && parameters[needed - 1]!.optional) needed--;
  if (args.length < needed) refuseMissing(method, parameters, args.length, {});
  return args;
}

/**
 * Turns arguments into a handler's list whose last parameter takes all keyword arguments that no other one has, as
 * Python's keyword-only parameters do.
 *
 * Callers that have no keyword arguments, as those of JavaScript, give the object itself in its place.
 *
 * @param parameters All parameters, with the one for the object. If they are undefined, nothing is checked.
 * @throws {BadRequestError} With reason `IncorrectSignature`, if the arguments do not fit.
 */
export function bindKeywordObject(
  method: string,
  parameters: readonly Parameter[] | undefined,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>> = {},
): readonly unknown[] {
  if (parameters === undefined) return [...args, kwargs];
  const before = parameters.slice(0, -1);
  const last = args.at(-1);
  if (args.length === parameters.length && isRecord(last) && Object.keys(kwargs).length === 0) {
    return [...bindArguments(method, before, args.slice(0, -1)), keywordObject(method, parameters, last)];
  }
  const given = Object.entries(kwargs);
  const isBefore = (name: string) => before.some((parameter) => parameter.name === name);
  const named = Object.fromEntries(given.filter(([name]) => !isBefore(name)));
  refuseUnexpected(method, parameters, named);
  const bound = bindArguments(
    method,
    before,
    args,
    Object.fromEntries(given.filter(([name]) => isBefore(name))),
  );
  const padding = Array.from({ length: before.length - bound.length }, () => undefined);
  return [...bound, ...padding, keywordObject(method, parameters, named)];
}

function refuseUnexpected(
  method: string,
  parameters: readonly Parameter[],
  named: Readonly<Record<string, unknown>>,
): void {
  const keywords = parameters.at(-1)?.keywords;
  if (keywords === undefined) return;
  for (const given of Object.keys(named)) {
    if (keywords.every(({ name }) => name !== given)) {
      refuse(`${method}() got an unexpected keyword argument ${quote(given)}`);
    }
  }
}

function keywordObject(
  method: string,
  parameters: readonly Parameter[],
  named: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  refuseUnexpected(method, parameters, named);
  const missing =
    parameters.at(-1)?.keywords?.filter(({ name, optional }) => !optional && !Object.hasOwn(named, name)) ??
      [];
  if (missing.length > 0) refuseMissingNames(method, "keyword-only", missing.map(({ name }) => quote(name)));
  return named;
}

function bindKeywords(
  method: string,
  parameters: readonly Parameter[],
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): readonly unknown[] {
  const bound = [...args];
  for (const name of Object.keys(kwargs)) {
    const position = parameters.findIndex((parameter) => parameter.name === name && !parameter.rest);
    if (position === -1) refuse(`${method}() got an unexpected keyword argument ${quote(name)}`);
    if (position < args.length) refuse(`${method}() got multiple values for argument ${quote(name)}`);
    while (bound.length < position) bound.push(undefined);
    bound[position] = kwargs[name];
  }
  if (args.length > parameters.length && !hasRest(parameters)) refuseTooMany(method, parameters, args.length);
  refuseMissing(method, parameters, args.length, kwargs);
  return bound;
}

function hasRest(parameters: readonly Parameter[]): boolean {
  return parameters.at(-1)?.rest ?? false;
}

function refuseTooMany(method: string, parameters: readonly Parameter[], given: number): never {
  const most = parameters.length + 1;
  const least = parameters.filter(({ optional }) => !optional).length + 1;
  const range = least === most ? String(most) : `from ${least} to ${most}`;
  // The text counts as Nameko does, with `self`. The data is for people, who have given fewer arguments.
  throw new BadRequestError(
    `${method}() takes ${range} positional argument${most === 1 ? "" : "s"} but ${given + 1} were given`,
    {
      data: { takes: parameters.map(({ name, optional }) => `${name ?? "…"}${optional ? "?" : ""}`), given },
    },
  );
}

function refuseMissing(
  method: string,
  parameters: readonly Parameter[],
  given: number,
  kwargs: Readonly<Record<string, unknown>>,
): void {
  const names: string[] = [];
  parameters.forEach(({ name, optional }, position) => {
    if (optional || position < given || (name !== undefined && Object.hasOwn(kwargs, name))) return;
    names.push(name === undefined ? `number ${position + 1}` : quote(name));
  });
  if (names.length > 0) refuseMissingNames(method, "positional", names);
}

function refuseMissingNames(
  method: string,
  kind: "positional" | "keyword-only",
  names: readonly string[],
): never {
  const listed = names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  const plural = names.length === 1 ? "" : "s";
  refuse(`${method}() missing ${names.length} required ${kind} argument${plural}: ${listed}`);
}

function refuse(message: string): never {
  throw new BadRequestError(message);
}

/** Quotes a name as Python's `repr` does. */
function quote(name: string): string {
  return name.includes("'") && !name.includes('"') ? `"${name}"` : `'${name.replaceAll("'", "\\'")}'`;
}
