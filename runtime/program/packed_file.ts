/** Files that `deno compile` puts into a binary beside its main module, in packed form, at a quarter of their size. */
import { gunzipSync } from "node:zlib";

/** Packs some content and writes it to a file. */
export async function writePacked(path: string, content: BlobPart): Promise<void> {
  await Deno.writeFile(path, new Blob([content]).stream().pipeThrough(new CompressionStream("gzip")));
}

/**
 * Reads a packed file of this binary, without the packing.
 *
 * It unpacks the file in one step, which takes less time than to unpack it as a stream.
 *
 * @param name Name of the file, which lies beside the main module.
 * @returns Undefined if this program is no binary, or has no such file.
 */
export async function readPacked(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!Deno.build.standalone) return undefined;
  try {
    // What zlib gives out is no shared memory, which its type would allow.
    return gunzipSync(await Deno.readFile(new URL(name, Deno.mainModule))) as Uint8Array<ArrayBuffer>;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
