/**
 * This folder makes one script, a bundle, of a module and all that it imports.
 *
 * This file is the part in the main thread: it lets another process make the bundles for the threads of
 * services, and it keeps the bundles. Another process of the same program makes a bundle, because the bundler
 * takes some 200 MB.
 *
 * The main thread keeps the bundle on disk, under a name that comes from the request, and uses the bundle
 * again as long as none of its modules has changed. To find that out, the {@linkcode ModuleFetcher} loads
 * each module again, so the rules for origins and the lock file hold for a kept bundle, too. But the lock
 * file has no hash of the bundle itself. With a lock file the main thread therefore keeps no bundle and uses
 * no kept one. Whenever a kept bundle cannot be read or checked, the main thread has the bundle made anew,
 * and reports an error only if that fails, too.
 */
import { dirname, join } from "node:path";
import { BUNDLE_WORD, OWN_PACKAGE } from "../../program/own_package.ts";
import { ServiceLoadError } from "../../message/errors.ts";
import type { BundleRequest, BundleResult } from "./bundler.ts";
import { defaultCacheFolder, replaceFile } from "../fetch/cache.ts";
import { ModuleFetcher, type ModuleFetcherOptions } from "../fetch/fetcher.ts";
import { sha256Of } from "../fetch/source.ts";
import { getLog } from "../../log/observe.ts";
import type { ModuleBundle } from "../../channel/port.ts";

/** Number of the form in which bundles are kept. It changes with {@linkcode BundleResult}. */
const FORMAT = 2;

/** Answer of the process that bundles: a bundle, or the reason why there is none. */
export type BundleAnswer = BundleResult | { readonly failure: string };

/**
 * Returns a bundle: the kept one if it is still current, or else a new one.
 *
 * @throws {ServiceLoadError} If the bundle cannot be made.
 * @throws {unknown} The signal's reason once the signal aborts.
 */
export async function loadBundle(
  request: BundleRequest,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<ModuleBundle> {
  const path = await bundlePath(request);
  const kept = path === undefined || request.modules.mode === "reload" ? undefined : await readBundle(path);
  const bundle = kept !== undefined && await isCurrent(kept, request.modules, signal)
    ? kept
    : await makeBundle(request, signal);
  if (bundle !== kept && path !== undefined) await keepBundle(path, bundle);
  const { url, code, map, packages, optional } = bundle;
  return { url, code, map, packages, optional };
}

/** Returns the path at which the bundle is kept; undefined if bundles are not kept. */
async function bundlePath({ modules, ...request }: BundleRequest): Promise<string | undefined> {
  const folder = bundleFolder(modules);
  if (folder === undefined) return undefined;
  const asked = JSON.stringify([OWN_PACKAGE.version, FORMAT, import.meta.url, request]);
  return join(folder, `${await sha256Of(new TextEncoder().encode(asked))}.json`);
}

function bundleFolder({ cache, lock }: ModuleFetcherOptions): string | undefined {
  if (cache === false || lock !== undefined) return undefined;
  const folder = cache?.folder ?? defaultCacheFolder();
  return folder === undefined ? undefined : join(folder, "bundles");
}

async function readBundle(path: string): Promise<BundleResult | undefined> {
  try {
    const file = await Deno.readTextFile(path);
    const end = file.indexOf("\n");
    const text = file.slice(end + 1);
    return file.slice(0, end) === await sha256Of(new TextEncoder().encode(text))
      ? JSON.parse(text)
      : undefined;
  } catch {
    return undefined;
  }
}

async function isCurrent(
  { modules }: BundleResult,
  options: ModuleFetcherOptions,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    using fetcher = new ModuleFetcher(options);
    const same = modules.map(async ({ requested, referrer, url, mediaType, charset, sha256 }) => {
      const now = await fetcher.load(requested, {
        ...(referrer !== undefined && { referrer }),
        ...(signal && { signal }),
      });
      const isRead = now.mediaType === mediaType && now.charset === charset;
      return isRead && now.sha256 === sha256 && now.url === url;
    });
    return (await Promise.all(same)).every(Boolean);
  } catch {
    signal?.throwIfAborted();
    return false;
  }
}

/**
 * Writes a bundle to disk. A failure to write it is no error. The hash comes first in the file, so that a
 * reader can tell a damaged file from a whole one.
 */
async function keepBundle(path: string, bundle: BundleResult): Promise<void> {
  const text = JSON.stringify(bundle);
  const encoder = new TextEncoder();
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, encoder.encode(`${await sha256Of(encoder.encode(text))}\n${text}`));
  } catch (error) {
    getLog().debug(
      `Cannot keep modules in ${dirname(path)}: ${(error as Error).message}. They are fetched each time`,
    );
  }
}

async function makeBundle(request: BundleRequest, signal: AbortSignal | undefined): Promise<BundleResult> {
  const child = new Deno.Command(Deno.execPath(), {
    args: Deno.build.standalone ? [BUNDLE_WORD] : [
      // The runtime's own modules name their packages in full, so the user's configuration must not matter.
      ...["run", "--quiet", "--allow-all", "--no-prompt", "--no-config"],
      import.meta.resolve("./bundling_process.ts"),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    ...(signal && { signal }),
  }).spawn();
  const input = new Blob([JSON.stringify(request)]).stream().pipeTo(child.stdin).catch(() => {});
  const { stdout, stderr, code } = await child.output();
  await input;
  signal?.throwIfAborted();
  const decoder = new TextDecoder();
  if (code !== 0) {
    throw new ServiceLoadError(
      `Cannot load module ${request.url}: the process that bundles it ended with status ${code}: ${
        decoder.decode(stderr).trim()
      }`,
    );
  }
  const answer: BundleAnswer = JSON.parse(decoder.decode(stdout));
  if ("failure" in answer) throw new ServiceLoadError(answer.failure);
  return answer;
}
