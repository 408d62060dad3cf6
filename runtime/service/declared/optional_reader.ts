/**
 * Reads from the sources of a module which parameters have a `?`.
 *
 * The parser is Babel's: it is plain JavaScript, takes linear time, and throws where the nesting is too deep
 * for its stack. It takes 16 ms to load, so only a name with a `?` makes this file load it. A source is parsed
 * if it has such a name, or if it may have a function that looks like one with an optional parameter.
 */
import type { parse as Parse, ParserPlugin } from "npm:@babel/parser@8.1.3";
import { type Declarations, declarationsOf, type FoundFunction } from "./declared_functions.ts";
import type { ModuleText } from "./module_text.ts";
import { markedNames, mayHaveSignature, wordsOf } from "./optional_marks.ts";
import { NO_OPTIONAL_PARAMETERS, type OptionalParameters } from "./optional_parameters.ts";
import type { SyntaxNode } from "./parameter_shape.ts";

/**
 * Reads the functions of a module that have optional parameters, and those that look like them.
 *
 * A source that cannot be parsed is no error. The result names it.
 *
 * @param options.names Only parameters with these names matter. @default {all}
 */
export async function readOptionalParameters(
  sources: readonly ModuleText[],
  { names }: { readonly names?: ReadonlySet<string> } = {},
): Promise<OptionalParameters> {
  const marked = new Set(sources.filter((source) => isMarked(source, names)));
  if (marked.size === 0) return NO_OPTIONAL_PARAMETERS;
  const { parse } = await import("npm:@babel/parser@8.1.3");
  const declared: Declarations[] = [];
  const unread: string[] = [];
  for (const source of marked) {
    try {
      declared.push(declarationsIn(source, parse));
    } catch (error) {
      unread.push(`${source.url}: ${(error as Error).message}`);
    }
  }
  const wanted = wordsOfOptional(declared);
  for (const source of sources) {
    if (marked.has(source) || !mayHaveAny(source, wanted)) continue;
    try {
      declared.push(declarationsIn(source, parse));
    } catch {
      // Deno has read this source, so our parser is behind. The source itself has no `?` that matters.
    }
  }
  return { functions: withSignatures(declared), unread };
}

/**
 * Reads what one source declares, without a thought of what matters.
 *
 * @param parse Babel's function.
 * @throws {SyntaxError} If the source cannot be parsed.
 * @throws {RangeError} If its nesting is too deep.
 */
export function declarationsIn({ language, text }: ModuleText, parse: typeof Parse): Declarations {
  const { program } = parse(text, {
    sourceType: "module",
    errorRecovery: true,
    attachComment: false,
    allowReturnOutsideFunction: true,
    plugins: [...PLUGINS, ...LANGUAGES[language]],
  });
  return declarationsOf(program as unknown as SyntaxNode);
}

const PLUGINS: readonly ParserPlugin[] = ["decorators", "decoratorAutoAccessors", "deferredImportEvaluation"];

const LANGUAGES: Readonly<Record<ModuleText["language"], readonly ParserPlugin[]>> = {
  ts: ["typescript"],
  tsx: ["typescript", "jsx"],
  js: ["jsx"],
  jsx: ["jsx"],
};

function isMarked({ language, text }: ModuleText, names: ReadonlySet<string> | undefined): boolean {
  if (language !== "ts" && language !== "tsx") return false;
  const marks = markedNames(text);
  if (names === undefined || marks.size === 0) return marks.size > 0;
  // The parameters of a signature may have other names than those of the handler.
  return !names.isDisjointFrom(marks) || mayHaveSignature(text);
}

/** For each function and signature with an optional parameter: the words of a source with one like it. */
function wordsOfOptional(declared: readonly Declarations[]): readonly (readonly string[])[] {
  return declared.flatMap(({ functions, signatures }) => [
    ...functions.filter(({ optional }) => optional.length > 0).map(({ words }) => words),
    ...signatures.filter(({ optional }) => optional.length > 0).map(({ method }) => [...wordsOf(method)]),
  ]);
}

function mayHaveAny({ text }: ModuleText, wanted: readonly (readonly string[])[]): boolean {
  if (wanted.length === 0) return false;
  const words = wordsOf(text);
  return wanted.some((each) => each.every((word) => words.has(word)));
}

/** Gives functions what the signatures of their entrypoints say, and leaves out what asks for nothing. */
function withSignatures(declared: readonly Declarations[]): OptionalParameters["functions"] {
  const signatures = Map.groupBy(
    declared.flatMap(({ signatures }) => signatures),
    ({ method, count }) => `${method} ${count}`,
  );
  const optionalOf = ({ name, optional, annotated }: FoundFunction): readonly number[] => {
    const places = annotated.flatMap((isAnnotated, place) => {
      if (isAnnotated || optional.includes(place)) return [];
      // The entrypoint gives the first arguments, one or two, and the signature has the others.
      const isOptional = [1, 2].some((given) => {
        const stated = signatures.get(`${name} ${annotated.length - given}`);
        return place >= given && stated?.every(({ optional }) => optional.includes(place - given));
      });
      return isOptional ? [place] : [];
    });
    return [...optional, ...places];
  };
  const functions = declared.flatMap(({ functions }) => functions)
    .map((each) => ({ name: each.name, shape: each.shape, optional: optionalOf(each) }));
  const shapes = new Set(functions.filter(({ optional }) => optional.length > 0).map(({ shape }) => shape));
  return functions.filter(({ shape }) => shapes.has(shape));
}
