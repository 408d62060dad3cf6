/**
 * Bundles for the threads of services, as main has them made and keeps them.
 *
 * A bundle is made by another process of the same program, because what makes it takes some 200 MB. What it made
 * is kept on disk under the name of what was asked for, and used again while each of its modules is what it was:
 * each is loaded again by the {@linkcode ModuleFetcher}, so that origins and the lock file hold for a kept bundle,
 * too. But nothing in the lock file vouches for the bundle itself, so that with a lock none is kept and none is used.
 * Whatever goes wrong with that, the bundle is made anew, and the error, if it is one, told then.
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

/** What the process that bundles says: a bundle, or why there is none. */
export type BundleAnswer = BundleResult | { readonly failure: string };

/** Makes a bundle, or takes the one from last time. */
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
  const { url, code, map, packages } = bundle;
  return { url, code, map, packages };
}

/** Where the bundle is kept; undefined where nothing is. */
async function bundlePath({ modules, ...request }: BundleRequest): Promise<string | undefined> {
  const folder = bundleFolder(modules);
  if (folder === undefined) return undefined;
  const asked = JSON.stringify([OWN_PACKAGE.version, import.meta.url, request]);
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
    const same = modules.map(async ({ requested, referrer, url, mediaType, sha256 }) => {
      const now = await fetcher.load(requested, {
        ...(referrer !== undefined && { referrer }),
        ...(signal && { signal }),
      });
      return now.sha256 === sha256 && now.url === url && now.mediaType === mediaType;
    });
    return (await Promise.all(same)).every(Boolean);
  } catch {
    signal?.throwIfAborted();
    return false;
  }
}

/** Its hash comes first, so that a damaged file is told from a whole one. */
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
      // Its own modules name their packages in full, so no configuration of whoever runs this has a say.
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
      `Cannot load service module ${request.url}: the process that bundles it ended with status ${code}: ${
        decoder.decode(stderr).trim()
      }`,
    );
  }
  const answer: BundleAnswer = JSON.parse(decoder.decode(stdout));
  if ("failure" in answer) throw new ServiceLoadError(answer.failure);
  return answer;
}
