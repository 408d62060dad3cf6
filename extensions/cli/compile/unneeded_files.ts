/**
 * The files of Enoki's own packages that no program loads.
 *
 * `deno compile` puts whole packages into a binary, and a start reads the whole binary: each megabyte takes a
 * millisecond.
 */
import { join } from "node:path";

/** The packages that Enoki names, and those that they need. They read none of their own texts. */
export const OWN_PACKAGES: readonly string[] = [
  "@babel/helper-string-parser",
  "@babel/helper-validator-identifier",
  "@babel/parser",
  "@babel/types",
  "@import-maps/resolve",
  "@jridgewell/resolve-uri",
  "@jridgewell/sourcemap-codec",
  "@jridgewell/trace-mapping",
  "@logtape/logtape",
  "@msgpack/msgpack",
  "@opentelemetry/api",
  "acorn",
  "amqplib",
  "commander",
  "croner",
  "esbuild-wasm",
  "hono",
  "hot-shots",
  "jsonc-parser",
  "leven",
  "nan",
  "seek-bzip",
  "unix-dgram",
  "yaml",
];

/**
 * Endings of types, source maps, texts for people, and the sources that addons are built of. Whoever passes a binary on
 * must pass the licenses on, too.
 */
const UNNEEDED =
  /^(?!licen[cs]e|notice|copying).*\.(?:d\.[cm]?ts|map|md|markdown|flow|tsbuildinfo|h|cc|cpp)$/i;

/**
 * Lists the paths of the unneeded files, and of folders that have no other files.
 *
 * @param cache Path of Deno's folder for packages. What is not there is not listed.
 */
export async function unneededFiles(cache: string): Promise<readonly string[]> {
  const registries = await entriesOf(cache);
  const folders = registries.flatMap(({ name }) => OWN_PACKAGES.map((own) => join(cache, name, own)));
  return (await Promise.all(folders.map(unneededIn))).flat();
}

async function unneededIn(folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  let hasOthers = false;
  for (const { name, isDirectory } of await entriesOf(folder)) {
    const path = join(folder, name);
    const unneeded = isDirectory ? await unneededIn(path) : UNNEEDED.test(name) ? [path] : [];
    hasOthers ||= unneeded[0] !== path;
    paths.push(...unneeded);
  }
  return hasOthers || paths.length === 0 ? paths : [folder];
}

async function entriesOf(folder: string): Promise<readonly Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
