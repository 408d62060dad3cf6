/** Files that `deno compile` puts into a binary beside its main module, in packed form, at a quarter of their size. */

/** Packs some content and writes it to a file. */
export async function writePacked(path: string, content: BlobPart): Promise<void> {
  await Deno.writeFile(path, new Blob([content]).stream().pipeThrough(new CompressionStream("gzip")));
}

/**
 * Reads a packed file of this binary, without the packing.
 *
 * @param name Name of the file, which lies beside the main module.
 * @returns Undefined if this program is no binary, or has no such file.
 */
export async function readPacked(name: string): Promise<Response | undefined> {
  if (!Deno.build.standalone) return undefined;
  try {
    const packed = new Blob([await Deno.readFile(new URL(name, Deno.mainModule))]);
    return new Response(packed.stream().pipeThrough(new DecompressionStream("gzip")));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
