/**
 * The files of the renderers, as their packages have them: Swagger UI for OpenAPI, and that of AsyncAPI. A package is
 * loaded when somebody asks for the first of its files.
 */
import { join } from "node:path";
import { HAS_MESSAGE_RENDERER, MESSAGE_RENDERER_PATHS, readMessageRenderer } from "./message_renderer.ts";

/** The files that the page needs, with their types. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  ["swagger-ui.css", "text/css; charset=utf-8"],
  ["favicon-32x32.png", "image/png"],
  ...(HAS_MESSAGE_RENDERER
    ? [
      ["asyncapi-renderer.js", "text/javascript; charset=utf-8"],
      ["asyncapi-renderer.css", "text/css; charset=utf-8"],
    ] as const
    : []),
]);

/** A file with its type. */
export interface RendererFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

const files = new Map<string, Promise<RendererFile>>();

/** Reads a file of the renderer, once. Gives undefined if the page needs no such file. */
export async function rendererFile(name: string): Promise<RendererFile | undefined> {
  const type = TYPES.get(name);
  if (type === undefined) return undefined;
  let file = files.get(name);
  if (file === undefined) {
    file = read(name, type);
    files.set(name, file);
    // The next request tries again.
    file.catch(() => files.delete(name));
  }
  return await file;
}

/** Lists the files of Swagger UI that the page does not need: most of the package, such as the maps of its sources. */
export async function unneededFiles(): Promise<readonly string[]> {
  const folder = await swaggerFolder();
  const needed = new Set([...TYPES.keys(), "package.json", "absolute-path.js"]);
  const unneeded: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (!needed.has(name)) unneeded.push(join(folder, name));
  return unneeded;
}

async function read(name: string, type: string): Promise<RendererFile> {
  const path = MESSAGE_RENDERER_PATHS[name];
  if (path !== undefined) return { bytes: await readMessageRenderer(path), type };
  return { bytes: await Deno.readFile(join(await swaggerFolder(), name)), type };
}

async function swaggerFolder(): Promise<string> {
  const { default: folder } = await import("npm:swagger-ui-dist@5.35.0/absolute-path.js") as {
    readonly default: () => string;
  };
  return folder();
}
