/**
 * This folder downloads remote modules, checks them against the allowed origins and the lock file, and keeps
 * them in a cache.
 *
 * This file is the only place where remote code comes in. Every module that is loaded from a URL passes these
 * steps, in this order. First, the rules for origins must allow the URL. Then the content, from the cache or
 * a download, must have the hash, type and charset that the lock file has for it. Only then does the fetcher
 * record them, keep the module in the cache and hand it out. A module that fails at one of these steps leaves no trace.
 */
import { fileURLToPath } from "node:url";
import { ServiceLoadError } from "../../message/errors.ts";
import { defaultCacheFolder, ModuleCache } from "./cache.ts";
import { downloadModule, type ModuleHeaders } from "./download.ts";
import { isSame, ModuleLock, type ModuleLockOptions } from "./lock.ts";
import type { LockedModule } from "./lock_file.ts";
import { ModuleOrigins } from "./origins.ts";
import {
  decodeModule,
  type ModuleContent,
  type ModuleSource,
  NoModuleError,
  readingOf,
  sha256Of,
} from "./source.ts";
import { maskUrl } from "../../log/secrets.ts";

/**
 * Origins that modules come from, and conditions that modules must meet. The options are plain data, so that
 * they can be passed to another process.
 */
export interface ModuleFetcherOptions {
  /** Lock file, and whether the fetcher records new modules in it or refuses them. @default {none} */
  readonly lock?: ModuleLockOptions;
  /** Folder that remote modules are kept in; false for no cache. @default {see defaultCacheFolder} */
  readonly cache?: { readonly folder: string } | false;
  /**
   * Whether the fetcher looks for a module in the cache first, never in the cache, or only in the cache.
   *
   * @default {"default"}
   */
  readonly mode?: "default" | "reload" | "cached-only";
  /**
   * Hosts that modules may come from, such as `example.com`, `example.com:8080`, `*.example.com`.
   *
   * @default {all}
   */
  readonly allowImport?: readonly string[];
  /** Whether modules may come over plain http from other machines than this one. @default {false} */
  readonly allowHttp?: boolean;
  /** Headers by host; the host has its port if that is not the default port of the protocol. @default {{}} */
  readonly headers?: ModuleHeaders;
  /**
   * Path of a PEM file with certificates of authorities that are trusted in addition to the known ones.
   *
   * @default {none}
   */
  readonly caCerts?: string;
  /** Milliseconds that a remote module may take, redirects included. @default {30_000} */
  readonly timeout?: number;
  /** Bytes that a module may have. @default {10 MiB} */
  readonly maxBytes?: number;
  /** Bytes that all modules of one fetcher may have together. @default {100 MiB} */
  readonly maxTotalBytes?: number;
}

/** Options of {@linkcode ModuleFetcher.load}. */
export interface LoadModuleSourceOptions {
  /**
   * URL, after redirects, of the module that imports this one. Remote modules may import less than local
   * ones.
   *
   * @default {none: the user named it}
   */
  readonly referrer?: string;
  readonly signal?: AbortSignal;
}

const MEBIBYTE = 1024 * 1024;

/** The limits of a program that sets none. */
export const FETCH_LIMITS = { timeout: 30_000, maxBytes: 10 * MEBIBYTE, maxTotalBytes: 100 * MEBIBYTE };

/** Loads the sources of modules from `file:`, `data:`, `http:` and `https:` URLs. */
export class ModuleFetcher implements Disposable {
  readonly #origins: ModuleOrigins;
  readonly #cache: ModuleCache | undefined;
  readonly #lock: ModuleLock | undefined;
  readonly #mode: "default" | "reload" | "cached-only";
  readonly #headers: ModuleHeaders;
  readonly #timeout: number;
  readonly #maxBytes: number;
  readonly #maxTotalBytes: number;
  readonly #client: Deno.HttpClient | undefined;
  readonly #loads = new Map<string, Promise<ModuleSource>>();
  /** `data:` modules that remote modules import. They may import only what a remote module may import. */
  readonly #remoteData = new Set<string>();
  #totalBytes = 0;

  /**
   * @throws {TypeError} If a text in `allowImport` is not a host.
   * @throws {ServiceLoadError} If the certificates cannot be read.
   */
  constructor(options: ModuleFetcherOptions = {}) {
    const {
      lock,
      cache,
      mode = "default",
      headers = {},
      caCerts,
      timeout = FETCH_LIMITS.timeout,
      maxBytes = FETCH_LIMITS.maxBytes,
      maxTotalBytes = FETCH_LIMITS.maxTotalBytes,
    } = options;
    const folder = cache === undefined ? defaultCacheFolder() : cache ? cache.folder : undefined;
    this.#origins = new ModuleOrigins(options);
    this.#cache = folder === undefined ? undefined : new ModuleCache(folder);
    this.#lock = lock && new ModuleLock(lock);
    this.#mode = mode;
    this.#headers = headers;
    this.#timeout = timeout;
    this.#maxBytes = maxBytes;
    this.#maxTotalBytes = maxTotalBytes;
    this.#client = caCerts === undefined ? undefined : createClient(caCerts);
  }

  /**
   * Loads one module.
   *
   * A later call for the same module, under the URL before redirects or the URL after redirects, gives the
   * same source, so that the whole program sees one version of the module.
   *
   * @throws {NoModuleError} If there is no module at the URL, and the lock file has no hash for it.
   * @throws {ServiceLoadError} If the module cannot be loaded, or must not be loaded.
   */
  async load(url: string, { referrer, signal }: LoadModuleSourceOptions = {}): Promise<ModuleSource> {
    if (!URL.canParse(url)) throw new ServiceLoadError(`Cannot load module ${url}: it is not a URL`);
    const target = new URL(url);
    target.hash = "";
    const isRemote = target.protocol === "http:" || target.protocol === "https:";
    if (referrer !== undefined && this.#isRemote(referrer)) {
      if (target.protocol === "data:") this.#remoteData.add(target.href);
      else if (!isRemote) {
        throw failure(target, `${maskUrl(referrer)} imports it, and remote code must not import local files`);
      }
    }
    if (isRemote) this.#origins.check(target, referrer);
    const known = this.#loads.get(target.href);
    if (known !== undefined) return await known;
    const load = isRemote ? this.#loadRemote(target, signal) : this.#loadLocal(target, signal);
    this.#loads.set(target.href, load);
    try {
      const { url: found } = await load;
      const first = this.#loads.get(found) ?? load;
      this.#loads.set(found, first);
      return await first;
    } catch (error) {
      this.#loads.delete(target.href);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#client?.close();
  }

  #isRemote(referrer: string): boolean {
    return /^https?:/.test(referrer) || this.#remoteData.has(referrer);
  }

  async #loadLocal(url: URL, signal: AbortSignal | undefined): Promise<ModuleSource> {
    const [bytes, contentType] = url.protocol === "file:"
      ? [await readModuleFile(url, signal), undefined]
      : await readDataUrl(url);
    this.#count(url, bytes.length);
    return decodeModule({ url: url.href, contentType, bytes, sha256: await sha256Of(bytes) }, maskUrl(url));
  }

  async #loadRemote(url: URL, signal: AbortSignal | undefined): Promise<ModuleSource> {
    const expected = await this.#lock?.expect(url.href);
    try {
      return await this.#obtain(url, expected, signal);
    } catch (error) {
      // The lock file proves that there was a module at this URL.
      if (error instanceof NoModuleError && expected !== undefined) throw new ServiceLoadError(error.message);
      throw error;
    }
  }

  async #obtain(
    url: URL,
    expected: LockedModule | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ModuleSource> {
    const cached = this.#mode === "reload" ? undefined : await this.#cache?.read(url.href);
    if (cached !== undefined) this.#origins.check(new URL(cached.url), url.href);
    const isCurrent = expected === undefined ||
      (cached !== undefined && isSame(expected, lockedModule(cached)));
    if (cached !== undefined && isCurrent) return await this.#accept(url, cached);
    if (this.#mode === "cached-only") {
      if (cached !== undefined && expected !== undefined) {
        throw this.#lock!.mismatch(url.href, expected, lockedModule(cached));
      }
      throw new NoModuleError(failure(url, this.#missing()).message);
    }
    const fresh = await downloadModule(url, {
      origins: this.#origins,
      headers: this.#headers,
      timeout: this.#timeout,
      maxBytes: this.#maxBytes,
      client: this.#client,
      signal,
    });
    const source = await this.#accept(url, fresh);
    for (const each of new Set([url.href, fresh.url])) await this.#cache?.write(each, fresh);
    return source;
  }

  async #accept(requested: URL, content: ModuleContent): Promise<ModuleSource> {
    this.#count(requested, content.bytes.length);
    const source = decodeModule(content, maskUrl(requested));
    await this.#lock?.settle(new Set([requested.href, content.url]), lockedModule(content));
    return source;
  }

  #count(url: URL, bytes: number): void {
    if (bytes > this.#maxBytes) {
      throw failure(url, `it has more than ${this.#maxBytes} bytes. Raise modules.max_size if that is right`);
    }
    this.#totalBytes += bytes;
    if (this.#totalBytes <= this.#maxTotalBytes) return;
    throw failure(
      url,
      `together with it, all modules have more than ${this.#maxTotalBytes} bytes. ` +
        "Raise modules.max_total_size if that is right",
    );
  }

  #missing(): string {
    return this.#cache === undefined
      ? "there is no cache, and --cached-only never fetches. Set ENOKI_CACHE to a folder"
      : `it is not in cache ${this.#cache.folder}, and --cached-only never fetches. Run once without it`;
  }
}

function lockedModule(content: ModuleContent): LockedModule {
  return { sha256: content.sha256, reading: readingOf(content, maskUrl(content.url)) };
}

async function readModuleFile(url: URL, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(fileURLToPath(url), signal && { signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Deno.errors.NotFound) throw new NoModuleError(failure(url, "no such file").message);
    if (error instanceof Deno.errors.IsADirectory) {
      throw failure(url, "it is a folder. Name the module in it");
    }
    throw failure(url, (error as Error).message);
  }
}

async function readDataUrl(url: URL): Promise<[Uint8Array<ArrayBuffer>, string]> {
  if (url.protocol !== "data:") {
    throw failure(url, "only file:, data:, http: and https: URLs can be loaded. Check the URL");
  }
  try {
    const response = await fetch(url);
    return [await response.bytes(), response.headers.get("content-type") ?? ""];
  } catch {
    throw failure(url, "it is not a valid data: URL");
  }
}

function createClient(caCerts: string): Deno.HttpClient {
  try {
    return Deno.createHttpClient({ caCerts: [Deno.readTextFileSync(caCerts)] });
  } catch (error) {
    throw new ServiceLoadError(
      `Cannot use the certificates in ${caCerts}: ${(error as Error).message}. Check modules.ca_certs`,
    );
  }
}

function failure(url: URL, state: string): ServiceLoadError {
  return new ServiceLoadError(`Cannot load module ${maskUrl(url)}: ${state}`);
}
