/** The WebAssembly code of the bundler: a file of its package, or in a binary, a quarter of its size, packed. */
import { fileURLToPath } from "node:url";

/** What the packed code is called; it lies beside the main module of a binary. */
const PACKED_NAME = "bundler.wasm.gz";

/** The package's file with the code. */
export const BUNDLER_CODE = "npm:esbuild-wasm@0.28.2/esbuild.wasm";

/** Path of that file; undefined where the package is no files, as in another program's cache. */
export function bundlerCodePath(): string | undefined {
  const url = import.meta.resolve(BUNDLER_CODE);
  return url.startsWith("file:") ? fileURLToPath(url) : undefined;
}

/**
 * Writes the packed code into a folder.
 *
 * @returns Its path.
 */
export async function packBundlerCode(path: string, folder: string): Promise<string> {
  const packed = `${folder}/${PACKED_NAME}`;
  const code = new Blob([await Deno.readFile(path)]).stream();
  await Deno.writeFile(packed, code.pipeThrough(new CompressionStream("gzip")));
  return packed;
}

/** Compiles the code. */
export async function compileBundlerCode(): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(await readPacked() ?? await Deno.readFile(bundlerCodePath()!));
}

async function readPacked(): Promise<ArrayBuffer | undefined> {
  if (!Deno.build.standalone) return undefined;
  try {
    const packed = new Blob([await Deno.readFile(new URL(PACKED_NAME, Deno.mainModule))]);
    return await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
