/**
 * The parameters of handlers, read from their own source, so that Python callers can use keyword arguments.
 *
 * `Function.prototype.toString()` gives the exact source text of a function, and a JavaScript parser reads
 * that text. The text of a method is not an expression (`async place(ctx, order) {}`, `get x() {}`,
 * `["a b"](ctx) {}`). If a text does not parse as an expression, this file parses it again as the body of a
 * class. A text that parses as neither is native or bound code, and nobody can know its parameters.
 *
 * A thread loads the parser only when it must read the first source, and the other threads get the parameters
 * that one thread has read.
 *
 * The `?` of an optional parameter is in the TypeScript source alone, which this file asks for if some handler
 * has a parameter without a default.
 */
import { findOptional, type LeftOut, type OptionalParameters } from "./optional_parameters.ts";
import { keyName, shapeOf, type SyntaxNode } from "./parameter_shape.ts";
import { loadParser, type Pattern, type Program } from "./parser.ts";

/** One parameter of a handler. */
export interface Parameter {
  /** `undefined` for a destructured parameter. Callers can give such a parameter by position only. */
  readonly name: string | undefined;
  /** Whether the parameter may be left out: it has a default, or a `?` in its TypeScript source. */
  readonly optional: boolean;
  /** Whether the parameter takes all the remaining arguments. */
  readonly rest: boolean;
  /** The names that a destructured parameter takes out of an object. Absent if it may take any. */
  readonly keywords?: readonly Keyword[];
}

/** A name in a destructured parameter. */
export interface Keyword {
  /** Name of the keyword argument. */
  readonly name: string;
  /** Whether the name has a default, so that callers may leave it out. */
  readonly optional: boolean;
}

/**
 * Gives the name that the author wrote for the identifier at an offset of a function's source.
 *
 * Returns undefined if the author wrote just that identifier.
 */
export type OriginalName = (functionSource: string, offset: number) => string | undefined;

/** A function with any parameters. */
export type AnyFunction = (...args: never[]) => unknown;

/**
 * Key of the method that a handler calls with its arguments, but without the context. The parameters of such a
 * handler are those of the method.
 */
export const METHOD_BEHIND: unique symbol = Symbol.for("enoki.method_behind") as never;

/** The function that the author of a handler has written, and whether its first parameter is the context. */
interface Written {
  readonly author: AnyFunction;
  readonly takesContext: boolean;
}

function writtenFor(handler: AnyFunction & { readonly [METHOD_BEHIND]?: AnyFunction }): Written {
  const method = handler[METHOD_BEHIND];
  return method === undefined
    ? { author: handler, takesContext: true }
    : { author: method, takesContext: false };
}

/**
 * Parameters of functions by their name and source text. Null for a function whose parameters nobody can know.
 */
export type KnownParameters = Readonly<Record<string, readonly Parameter[] | null>>;

/** Options of {@linkcode readParameters}. */
export interface ReadParametersOptions {
  /** Gives the author's names in sources that a bundler has rewritten. */
  readonly originalName?: OriginalName | undefined;
  /** Parameters that another thread has read. @default {{}} */
  readonly known?: KnownParameters | undefined;
  /**
   * Finds out which parameters have a `?` in the TypeScript sources.
   *
   * @param names Names of the parameters that matter.
   * @default {no parameter has one}
   */
  readonly optional?: ((names: ReadonlySet<string>) => Promise<OptionalParameters>) | undefined;
  /** Takes a sentence for each parameter that counts as required because nobody can tell. */
  readonly warn?: ((message: string) => void) | undefined;
}

/** Reads the parameters of each handler after its first one, the context. */
export async function readParameters(
  handlers: Readonly<Record<string, AnyFunction>>,
  { originalName = () => undefined, known = {}, optional, warn = () => {} }: ReadParametersOptions = {},
): Promise<KnownParameters> {
  const functions = Object.entries(handlers);
  if (functions.every(([, handler]) => Object.hasOwn(known, identityOf(handler)))) return known;
  const parse = await loadParser();
  const program = (source: string) =>
    parse(source, { sourceType: "module", allowSuperOutsideMethod: true, checkPrivateFields: false });
  const read = functions.map(([method, handler]) => {
    const { author, takesContext } = writtenFor(handler);
    const source = String(author);
    const definition = parseFunction(source, program);
    const nameAt = (offset: number) => originalName(source, offset - definition!.before);
    return {
      method,
      handler,
      author,
      takesContext,
      definition,
      nameAt,
      params: definition?.params.map((p) => parameterOf(p, nameAt)),
    };
  });
  const missable = new Set(
    read.flatMap(({ params, takesContext }) =>
      params === undefined ? [] : namesOfRequired(takesContext ? afterContext(params) : params)
    ),
  );
  const declared = optional === undefined || missable.size === 0 ? undefined : await optional(missable);
  for (const reason of declared?.unread ?? []) {
    warn(`Cannot read which parameters are optional, so callers must give them all: ${reason}`);
  }
  const leftOut = ({ author, definition, nameAt }: typeof read[number]): LeftOut | undefined => {
    if (declared === undefined || declared.functions.length === 0 || definition === undefined) {
      return undefined;
    }
    const name = ({ name, start }: SyntaxNode) => nameAt(Number(start)) ?? String(name);
    const shape = shapeOf(definition.node, definition.params as unknown as readonly SyntaxNode[], name);
    return findOptional(declared.functions, nameOf(author), shape);
  };
  return Object.fromEntries(read.map((each) => {
    const { method, handler, author, takesContext, params } = each;
    const { optional, doubtful = [] } = leftOut(each) ?? {};
    for (const place of doubtful) {
      warn(
        `Cannot tell whether "${
          params?.[place]?.name
        }" of "${method}" may be left out, so callers must give ` +
          `it: the module has several functions "${
            nameOf(author)
          }" with parameters of these names. Give it ` +
          "the default undefined in place of the ?",
      );
    }
    const marked = params?.map((param, place) => optional?.has(place) ? { ...param, optional: true } : param);
    return [identityOf(handler), marked === undefined ? null : takesContext ? afterContext(marked) : marked];
  }));
}

/** Gives a handler's parameters as {@linkcode readParameters} read them; undefined if nobody knows them. */
export function parametersOf(handler: AnyFunction, known: KnownParameters): readonly Parameter[] | undefined {
  return known[identityOf(handler)] ?? undefined;
}

/** Two handlers of the same text may differ in what their TypeScript sources say, so the name belongs to it. */
function identityOf(handler: AnyFunction): string {
  const { author, takesContext } = writtenFor(handler);
  return `${takesContext ? "" : "this."}${nameOf(author)}\n${author}`;
}

function nameOf(handler: AnyFunction): string {
  return String(handler.name);
}

/** Only the last parameter that has no default can make a difference: a required one may not follow a `?`. */
function namesOfRequired(params: readonly Parameter[]): readonly string[] {
  const last = params.findLast(({ optional }) => !optional);
  return last?.name === undefined ? [] : [last.name];
}

/** A parsed function. `before` is the number of characters that stood before its source. */
interface ParsedFunction {
  readonly node: SyntaxNode;
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
      ? { node: expression as unknown as SyntaxNode, params: expression.params, before: EXPRESSION.length }
      : undefined;
  }
  const holder = attempt(() => parse(`${HOLDER}${source}\n}`).body[0]);
  const method = holder?.type === "ClassDeclaration" ? holder.body.body[0] : undefined;
  return method?.type === "MethodDefinition"
    ? { node: method.value as unknown as SyntaxNode, params: method.value.params, before: HOLDER.length }
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

function afterContext(params: readonly Parameter[]): readonly Parameter[] {
  return params[0]?.rest ? params : params.slice(1);
}

function parameterOf(pattern: Pattern, nameAt: NameAt): Parameter {
  if (pattern.type === "AssignmentPattern") return { ...parameterOf(pattern.left, nameAt), optional: true };
  if (pattern.type === "RestElement") {
    return { ...parameterOf(pattern.argument, nameAt), optional: true, rest: true };
  }
  const name = pattern.type === "Identifier" ? nameAt(pattern.start) ?? pattern.name : undefined;
  const keywords = pattern.type === "ObjectPattern" ? keywordsOf(pattern) : undefined;
  return { name, optional: false, rest: false, ...(keywords && { keywords }) };
}

/** A bundler may rename what a property is bound to, but not the key. */
function keywordsOf({ properties }: Extract<Pattern, { type: "ObjectPattern" }>): Keyword[] | undefined {
  const keywords: Keyword[] = [];
  for (const property of properties) {
    const name = property.type === "RestElement" ? null : keyName(property as unknown as SyntaxNode);
    if (name === null || property.type === "RestElement") return undefined;
    keywords.push({ name, optional: property.value.type === "AssignmentPattern" });
  }
  return keywords;
}
