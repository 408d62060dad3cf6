/**
 * Finds the WebAssembly code of the bundler. The code is a file of the bundler's package. A binary has the
 * code in packed form, at a quarter of the size.
 */
import { fileURLToPath } from "node:url";
import { readPacked, writePacked } from "../../program/packed_file.ts";

/** Name of the file with the packed code. The file lies beside the main module of a binary. */
const PACKED_NAME = "bundler.wasm.gz";

/** Specifier of the package's file with the code. */
export const BUNDLER_CODE = "npm:esbuild-wasm@0.28.2/esbuild.wasm";

/** Returns the path of that file; undefined if the package is not on disk, as in another program's cache. */
export function bundlerCodePath(): string | undefined {
  const url = import.meta.resolve(BUNDLER_CODE);
  return url.startsWith("file:") ? fileURLToPath(url) : undefined;
}

/**
 * Packs the code and writes it into a folder.
 *
 * @param path Path of the code.
 * @returns Path of the packed code.
 */
export async function packBundlerCode(path: string, folder: string): Promise<string> {
  const packed = `${folder}/${PACKED_NAME}`;
  await writePacked(packed, await Deno.readFile(path));
  return packed;
}

/** Reads and compiles the code, packed or not. */
export async function compileBundlerCode(): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(await readPacked(PACKED_NAME) ?? await Deno.readFile(bundlerCodePath()!));
}
