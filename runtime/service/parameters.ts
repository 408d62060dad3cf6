/**
 * The parameters of handlers, read from their own source, so that Python callers can use keyword arguments.
 *
 * `Function.prototype.toString()` gives the exact source text of a function, and a JavaScript parser reads
 * that text. The text of a method is not an expression (`async place(ctx, order) {}`, `get x() {}`,
 * `["a b"](ctx) {}`). If a text does not parse as an expression, this file parses it again as the body of a
 * class. A text that parses as neither is native or bound code, and nobody can know its parameters.
 *
 * The parser takes about 8 ms to load and 2 MB of a thread. So a thread imports the parser only when it must
 * read the first source, and the other threads get the parameters that one thread has read.
 */
import type { Pattern, Program } from "npm:acorn@8.19.0";

/** One parameter of a handler. */
export interface Parameter {
  /** `undefined` for a destructured parameter. Callers can give such a parameter by position only. */
  readonly name: string | undefined;
  /** Whether the parameter has a default. TypeScript's `?` leaves no trace at run time. */
  readonly optional: boolean;
  /** Whether the parameter takes all the remaining arguments. */
  readonly rest: boolean;
}

/**
 * Gives the name that the author wrote for the identifier at an offset of a function's source.
 *
 * Returns undefined if the author wrote just that identifier.
 */
export type OriginalName = (functionSource: string, offset: number) => string | undefined;

/** A function with any parameters. */
export type AnyFunction = (...args: never[]) => unknown;

/** Parameters of functions by their source text. Null for a function whose parameters nobody can know. */
export type KnownParameters = Readonly<Record<string, readonly Parameter[] | null>>;

/** Options of {@linkcode readParameters}. */
export interface ReadParametersOptions {
  /** Gives the author's names in sources that a bundler has rewritten. */
  readonly originalName?: OriginalName | undefined;
  /** Parameters that another thread has read. @default {{}} */
  readonly known?: KnownParameters | undefined;
}

/** Reads the parameters of each handler after its first one, the context. */
export async function readParameters(
  handlers: Readonly<Record<string, AnyFunction>>,
  { originalName = () => undefined, known = {} }: ReadParametersOptions = {},
): Promise<KnownParameters> {
  const sources = Object.values(handlers).map(String);
  if (sources.every((source) => Object.hasOwn(known, source))) return known;
  const { parse } = await import("npm:acorn@8.19.0");
  const program = (source: string) =>
    parse(source, {
      ecmaVersion: "latest",
      sourceType: "module",
      allowSuperOutsideMethod: true,
      checkPrivateFields: false,
    });
  return Object.fromEntries(sources.map((source) => {
    const definition = parseFunction(source, program);
    const nameAt = (offset: number) => originalName(source, offset - definition!.before);
    return [source, definition === undefined ? null : afterContext(definition.params, nameAt)];
  }));
}

/** Gives a handler's parameters as {@linkcode readParameters} read them; undefined if nobody knows them. */
export function parametersOf(handler: AnyFunction, known: KnownParameters): readonly Parameter[] | undefined {
  return known[String(handler)] ?? undefined;
}

/** A function's parsed parameters. `before` is the number of characters that stood before its source. */
interface ParsedFunction {
  readonly params: readonly Pattern[];
  readonly before: number;
}

const EXPRESSION = "(";
const HOLDER = "class Holder extends null {";

function parseFunction(source: string, parse: (source: string) => Program): ParsedFunction | undefined {
  const statement = attempt(() => parse(`${EXPRESSION}${source}\n)`).body[0]);
  if (statement?.type === "ExpressionStatement") {
    const { expression } = statement;
    return expression.type === "FunctionExpression" || expression.type === "ArrowFunctionExpression"
      ? { params: expression.params, before: EXPRESSION.length }
      : undefined;
  }
  const holder = attempt(() => parse(`${HOLDER}${source}\n}`).body[0]);
  const method = holder?.type === "ClassDeclaration" ? holder.body.body[0] : undefined;
  return method?.type === "MethodDefinition"
    ? { params: method.value.params, before: HOLDER.length }
    : undefined;
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

type NameAt = (offset: number) => string | undefined;

function afterContext(patterns: readonly Pattern[], nameAt: NameAt): readonly Parameter[] {
  const context = patterns[0];
  return (context?.type === "RestElement" ? patterns : patterns.slice(1))
    .map((pattern) => parameterOf(pattern, nameAt));
}

function parameterOf(pattern: Pattern, nameAt: NameAt): Parameter {
  if (pattern.type === "AssignmentPattern") return { ...parameterOf(pattern.left, nameAt), optional: true };
  if (pattern.type === "RestElement") {
    return { ...parameterOf(pattern.argument, nameAt), optional: true, rest: true };
  }
  const name = pattern.type === "Identifier" ? nameAt(pattern.start) ?? pattern.name : undefined;
  return { name, optional: false, rest: false };
}
