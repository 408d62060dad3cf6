/**
 * Evaluates a bundle: that of a service in its threads, and that of an extension in the main thread.
 *
 * A thread imports a bundle as a `data:` module, which needs no permission. The code then no longer stands
 * where its author wrote it. This shows in two ways, and the source map repairs both. Stacks:
 * `Error.prepareStackTrace` puts the author's file and line into every stack that any code reads in this
 * thread, so that neither logs nor services need to know of the bundle. Names: all modules of a bundle share
 * one scope, so the bundler may have to call a parameter `order2`, while Python callers call it `order`.
 */
import { Buffer } from "node:buffer";
import { stripVTControlCharacters } from "node:util";
import type { OriginalName } from "../../service/declared/parameters.ts";
import { SourceMap, type TextPosition } from "./source_map.ts";
import type { ModuleBundle } from "../../channel/port.ts";

/** A bundle that this thread has imported. */
export interface ImportedBundle {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly originalName: OriginalName;
}

/** The part of V8's call sites that we use. */
interface CallSite {
  getFileName(): string | null;
  getScriptNameOrSourceURL?(): string | null;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
}

interface StackFormatter {
  prepareStackTrace?: (error: unknown, sites: readonly CallSite[]) => unknown;
}

const maps = new Map<string, SourceMap>();

/**
 * Evaluates a bundle.
 *
 * @throws The error that one of its modules throws.
 */
export async function importBundle({ url: moduleUrl, code, map }: ModuleBundle): Promise<ImportedBundle> {
  const url = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
  const sourceMap = new SourceMap(map);
  maps.set(url, sourceMap);
  (Error as unknown as StackFormatter).prepareStackTrace = formatStack;
  return {
    exports: await import(url).catch((error) => {
      throw readable(error, (text) => withOriginalPlaces(text, { url, moduleUrl, map: sourceMap }));
    }),
    originalName: (functionSource, offset) => {
      const start = code.indexOf(functionSource);
      return start === -1 ? undefined : sourceMap.original(positionAt(code, start + offset))?.name;
    },
  };
}

/**
 * Makes an error of a bundle readable.
 *
 * If an import leads nowhere, Deno writes the place of that import into the message itself. It also puts
 * color codes into the message, wherever the message goes.
 */
function readable(error: unknown, mend: (text: string) => string): unknown {
  if (!(error instanceof Error)) return error;
  const { message, stack = "" } = error;
  error.message = mend(message);
  error.stack = mend(stack);
  return error;
}

/** Puts the author's places where a text has the bundle's URL, because that URL contains the whole code. */
function withOriginalPlaces(
  text: string,
  { url, moduleUrl, map }: { readonly url: string; readonly moduleUrl: string; readonly map: SourceMap },
): string {
  const [before, ...rest] = stripVTControlCharacters(text).split(url);
  return [
    before,
    ...rest.map((after) => {
      const [position, line, column] = /^:(\d+):(\d+)/.exec(after) ?? [""];
      const place = map.original({ line: Number(line ?? 1), column: Number(column ?? 1) });
      return (place === undefined ? moduleUrl : `${place.source}:${place.line}:${place.column}`) +
        after.slice(position.length);
    }),
  ].join("");
}

function positionAt(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

function formatStack(error: unknown, sites: readonly CallSite[]): string {
  return [heading(error), ...sites.flatMap(frame)].join("\n    at ");
}

function heading(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "Error: the thrown value cannot be read";
  }
}

/** Gives one line of the stack as Deno writes it, or no line for code that the bundler added. */
function frame(site: CallSite): readonly string[] {
  const text = String(site);
  const file = site.getFileName();
  if (file === null) return [text];
  const map = maps.get(file);
  // Deno gives a path here. In a stack that Deno formats itself, it gives a URL.
  if (map === undefined) return [text.replace(file, () => site.getScriptNameOrSourceURL?.() ?? file)];
  const line = site.getLineNumber() ?? 1;
  const column = site.getColumnNumber() ?? 1;
  const place = map.original({ line, column });
  if (place === undefined) return [];
  return [
    text.replace(`${file}:${line}:${column}`, () => `${place.source}:${place.line}:${place.column}`),
  ];
}
