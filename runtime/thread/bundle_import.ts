/**
 * How a thread loads a bundle.
 *
 * A bundle is imported as a `data:` module, which needs no permission. Its code is then no longer where its author
 * wrote it, in two ways that show, and both are mended with its source map. Stacks: `Error.prepareStackTrace` puts
 * the author's file and line into every stack that is read in this thread, whoever reads it, so that neither logs
 * nor services need to know. Names: one scope for all modules means that a parameter may have to be called
 * `order2`, while Python callers name it `order`.
 */
import { Buffer } from "node:buffer";
import { stripVTControlCharacters } from "node:util";
import type { OriginalName } from "../service/parameters.ts";
import { SourceMap, type TextPosition } from "../module/bundle/source_map.ts";
import type { ModuleBundle } from "../channel/port.ts";

/** A bundle as a thread has it. */
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

/** Evaluates a bundle; rejects with what its modules throw. */
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

/** What Deno says of an import that leads nowhere has its place in the text, and colors wherever that goes. */
function readable(error: unknown, mend: (text: string) => string): unknown {
  if (!(error instanceof Error)) return error;
  const { message, stack = "" } = error;
  error.message = mend(message);
  error.stack = mend(stack);
  return error;
}

/** The URL of a bundle is all of its code. */
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

/** A line of the stack as Deno has it; none for what the bundler added to the author's code. */
function frame(site: CallSite): readonly string[] {
  const text = String(site);
  const file = site.getFileName();
  if (file === null) return [text];
  const map = maps.get(file);
  // Deno gives paths here and URLs where nobody formats stacks.
  if (map === undefined) return [text.replace(file, () => site.getScriptNameOrSourceURL?.() ?? file)];
  const line = site.getLineNumber() ?? 1;
  const column = site.getColumnNumber() ?? 1;
  const place = map.original({ line, column });
  if (place === undefined) return [];
  return [
    text.replace(`${file}:${line}:${column}`, () => `${place.source}:${place.line}:${place.column}`),
  ];
}
