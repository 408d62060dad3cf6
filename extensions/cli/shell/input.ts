/**
 * Makes a function of what a user of the shell has written.
 *
 * The text becomes the body of an async function, so that it may await. Types are erased where Deno can do that.
 */
import { loadParser, type Parse, type Program } from "../../../runtime/service/declared/parser.ts";
import { importHere } from "./import_here.ts";
import { rewrite } from "./rewrite.ts";

/** The names that the inputs of one shell have declared. */
export type Scope = Record<string, unknown>;

/** What a user has written, ready to run. It resolves with the value of its last expression. */
export type Input = (scope: Scope) => Promise<unknown>;

/** Reads what a user has written. */
export class InputReader {
  readonly #parse: Parse;
  readonly #eraseTypes: (text: string) => string;

  constructor(parse: Parse, eraseTypes: (text: string) => string) {
    this.#parse = parse;
    this.#eraseTypes = eraseTypes;
  }

  /** Loads the parser. */
  static async load(): Promise<InputReader> {
    const [parse, { stripTypeScriptTypes }] = await Promise.all([
      loadParser(),
      // Older versions of Deno have no such function.
      import("node:module") as Promise<{ readonly stripTypeScriptTypes?: (text: string) => string }>,
    ]);
    return new InputReader(parse, stripTypeScriptTypes ?? ((text) => text));
  }

  /**
   * Reads a text. Gives undefined if more has to follow, as after `f(`.
   *
   * @throws {SyntaxError} If the text is not JavaScript.
   */
  read(text: string): Input | undefined {
    const code = this.#withoutTypes(text.replace(/^#!/, "//"));
    const parsed = this.#parsedAsObject(code) ?? this.#parsed(code);
    return parsed === undefined ? undefined : compile(parsed);
  }

  #withoutTypes(text: string): string {
    try {
      return this.#eraseTypes(text);
    } catch {
      // The parser finds out what is wrong, or what is missing.
      return text;
    }
  }

  /** Takes `{ a: 1 }` for an object, which would be a block. */
  #parsedAsObject(text: string): Parsed | undefined {
    if (!/^\s*\{/.test(text) || /;\s*$/.test(text)) return undefined;
    try {
      const code = `(${text}\n)`;
      return { code, program: this.#parse(code, OPTIONS) };
    } catch {
      return undefined;
    }
  }

  #parsed(code: string): Parsed | undefined {
    try {
      return { code, program: this.#parse(code, OPTIONS) };
    } catch (error) {
      if (!isSyntaxError(error)) throw error;
      if (isIncomplete(error, code)) return undefined;
      throw new SyntaxError(withPlace(error));
    }
  }
}

interface Parsed {
  readonly code: string;
  readonly program: Program;
}

const OPTIONS = { sourceType: "module" } as const;

/** An error of the parser. */
interface ParserError extends SyntaxError {
  readonly pos: number;
  readonly loc: { readonly line: number; readonly column: number };
}

function isSyntaxError(error: unknown): error is ParserError {
  return error instanceof SyntaxError && "pos" in error && "loc" in error;
}

function isIncomplete({ message, pos }: ParserError, code: string): boolean {
  if (/^Unterminated (?:template|comment)/.test(message)) return true;
  if (message.startsWith("Unterminated string constant")) return /\\\r?\n$/.test(code);
  return message.startsWith("Unexpected token") && pos >= code.length;
}

function withPlace({ message, loc: { line, column } }: ParserError): string {
  return message.replace(/ \(\d+:\d+\)$/, ` in line ${line}, column ${column + 1}`);
}

/** Where the text of an input comes from, for stacks. */
export const INPUT_NAME = "enoki-shell-input";

/** @throws {SyntaxError} If the engine does not take what the parser took. */
function compile({ code, program }: Parsed): Input {
  const { text, names, functions } = rewrite(code, program);
  const keep = functions.map((name) => `enoki_scope.${name} = ${name};`).join("");
  const run = evaluate(
    `(enoki_scope, enoki_import) => { with (enoki_scope) { return (async () => {${keep}${text}\n})(); } }` +
      `\n//# sourceURL=${INPUT_NAME}`,
  ) as (scope: Scope, importHere: (specifier: string) => Promise<unknown>) => Promise<unknown>;
  return (scope) => {
    for (const name of names) if (!Object.hasOwn(scope, name)) scope[name] = undefined;
    return run(scope, importHere);
  };
}

/** Evaluates a script with the global names alone, and not those of this module. */
const evaluate = globalThis.eval;
