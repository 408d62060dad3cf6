/**
 * The one place where remote code comes in.
 *
 * Whatever is loaded from a URL has passed here, in this order: its origin is allowed; its content is what the
 * lock file says, be it from the cache or fresh; only then is it kept, recorded and handed out. A module that
 * fails at one of these leaves no trace.
 */
import { fileURLToPath } from "node:url";
import { ServiceLoadError } from "../../message/errors.ts";
import { defaultCacheFolder, ModuleCache } from "./cache.ts";
import { downloadModule, type ModuleHeaders } from "./download.ts";
import { ModuleLock, type ModuleLockOptions } from "./lock.ts";
import { ModuleOrigins } from "./origins.ts";
import { decodeModule, type ModuleContent, type ModuleSource, NoModuleError, sha256Of } from "./source.ts";
import { maskUrl } from "../../log/secrets.ts";

/** Where modules come from and what is asked of them. Plain data, so that it can be handed to another process. */
export interface ModuleFetcherOptions {
  /** The lock file, and whether new modules are recorded in it or refused. @default {none} */
  readonly lock?: ModuleLockOptions;
  /** Where remote modules are kept; false for nowhere. @default {see defaultCacheFolder} */
  readonly cache?: { readonly folder: string } | false;
  /** Whether the cache is asked first, not asked, or asked only. @default {"default"} */
  readonly mode?: "default" | "reload" | "cached-only";
  /**
   * Hosts that modules may come from, such as `example.com`, `example.com:8080`, `*.example.com`.
   *
   * @default {all}
   */
  readonly allowImport?: readonly string[];
  /** Whether plain http may be used beyond this machine. @default {false} */
  readonly allowHttp?: boolean;
  /** Headers to send, by host, with its port if that is not the protocol's own. @default {{}} */
  readonly headers?: ModuleHeaders;
  /** Path of certificates of authorities to trust beside the known ones, PEM. @default {none} */
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
   * URL, after redirects, of the module that imports this one. Remote modules may import less than local ones.
   *
   * @default {none: the user named it}
   */
  readonly referrer?: string;
  readonly signal?: AbortSignal;
}

const MEBIBYTE = 1024 * 1024;

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
  /** The `data:` modules that remote modules import: they may import no more than those. */
  readonly #remoteData = new Set<string>();
  #totalBytes = 0;

  /**
   * @throws {TypeError} If a host is not written as one.
   * @throws {ServiceLoadError} If the certificates cannot be read.
   */
  constructor(options: ModuleFetcherOptions = {}) {
    const {
      lock,
      cache,
      mode = "default",
      headers = {},
      caCerts,
      timeout = 30_000,
      maxBytes = 10 * MEBIBYTE,
      maxTotalBytes = 100 * MEBIBYTE,
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
   * Loads one module. Asked again for the same one, under its first URL or its last, it gives the same source,
   * so that all of a program sees one version of it.
   *
   * @throws {NoModuleError} If there is none, and none in the lock file.
   * @throws {ServiceLoadError} If it cannot be had, or must not be.
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
      // There was a module when it was recorded.
      if (error instanceof NoModuleError && expected !== undefined) throw new ServiceLoadError(error.message);
      throw error;
    }
  }

  async #obtain(
    url: URL,
    expected: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ModuleSource> {
    const cached = this.#mode === "reload" ? undefined : await this.#cache?.read(url.href);
    if (cached !== undefined) this.#origins.check(new URL(cached.url), url.href);
    const isCurrent = expected === undefined || cached?.sha256 === expected;
    if (cached !== undefined && isCurrent) return await this.#accept(url, cached);
    if (this.#mode === "cached-only") {
      if (cached !== undefined && expected !== undefined) {
        throw this.#lock!.mismatch(url.href, expected, cached.sha256);
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
    await this.#lock?.settle(new Set([requested.href, content.url]), content.sha256);
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
      `with it the modules have more than ${this.#maxTotalBytes} bytes. ` +
        "Raise modules.max_total_size if that is right",
    );
  }

  #missing(): string {
    return this.#cache === undefined
      ? "there is no cache, and --cached-only never fetches. Set ENOKI_CACHE to a folder"
      : `it is not in cache ${this.#cache.folder}, and --cached-only never fetches. Run once without it`;
  }
}

async function readModuleFile(url: URL, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(fileURLToPath(url), signal && { signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Deno.errors.NotFound) throw failure(url, "no such file");
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
    throw failure(url, "it is not well-formed");
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
