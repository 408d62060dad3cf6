/**
 * The lock file lists the content that each remote URL must have, and how the content is to be read.
 *
 * A URL that is in the file never gives other content, whether the content comes from the origin or from the
 * cache. Nor does it give the same bytes with another content type or charset: they would be another program.
 * A URL that is not in the file is recorded, or refused if the lock is frozen. The file has both the URL that
 * was asked for and the URL to which a redirect led, so nobody can point the redirect to other content.
 *
 * Several processes may record modules at the same time. Each process writes all entries that it has read
 * together with its own new ones, and replaces the file in one step. If two processes do so at the same
 * moment, the later one wins. The other process records its entries again at its next start.
 */
import { ServiceLoadError } from "../../message/errors.ts";
import { replaceFile } from "./cache.ts";
import {
  formatLockFile,
  type LockedModule,
  type LockedModules,
  readLockFile,
  unusableLockFile,
} from "./lock_file.ts";
import { type ModuleReading, NoModuleError } from "./source.ts";
import { maskUrl } from "../../log/secrets.ts";

/** Options of {@linkcode ModuleLock}. */
export interface ModuleLockOptions {
  /** Path of the lock file. */
  readonly path: string;
  /** Whether a URL that is not in the file is recorded in it, or refused. */
  readonly mode: "record" | "check";
}

/** The content that remote URLs must have. */
export class ModuleLock {
  readonly #path: string;
  readonly #mode: "record" | "check";
  readonly #new = new Map<string, LockedModule>();
  #known: Promise<LockedModules> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor({ path, mode }: ModuleLockOptions) {
    this.#path = path;
    this.#mode = mode;
  }

  /**
   * Returns what the content of `url` must be; undefined if the URL is new.
   *
   * @throws {NoModuleError} If the URL is new and the lock is frozen.
   * @throws {ServiceLoadError} If the lock file cannot be read.
   */
  async expect(url: string): Promise<LockedModule | undefined> {
    const module = this.#new.get(url) ?? (await this.#load()).get(url);
    if (module === undefined && this.#mode === "check") {
      throw new NoModuleError(
        `Cannot load module ${maskUrl(url)}: it is not in ${this.#path}, and --frozen refuses new modules. ` +
          "Run once without --frozen to record it",
      );
    }
    return module;
  }

  /**
   * Checks the URLs that are known and records the new ones. The file has them when this method resolves. A
   * URL that an older Enoki has recorded gets its type and charset, unless the lock is frozen.
   *
   * @throws {ServiceLoadError} If a URL must have other content, or is new and the lock is frozen.
   */
  async settle(urls: Iterable<string>, module: LockedModule): Promise<void> {
    for (const url of urls) {
      const expected = await this.expect(url);
      if (expected !== undefined && !isSame(expected, module)) throw this.mismatch(url, expected, module);
      if (expected === undefined || (expected.reading === undefined && this.#mode === "record")) {
        this.#new.set(url, module);
      }
    }
    await this.#record();
  }

  /** Makes the error for content that is not what the lock file has. */
  mismatch(url: string, expected: LockedModule, actual: LockedModule): ServiceLoadError {
    const [found, wanted] = expected.sha256 === actual.sha256
      ? [`it was sent as ${describe(actual.reading)}`, describe(expected.reading)]
      : [`its sha256 is ${actual.sha256}`, expected.sha256];
    return new ServiceLoadError(
      `Cannot load module ${maskUrl(url)}: ${found}, and ${this.#path} has ${wanted}. ` +
        "If the change is wanted, delete its entry there and run again",
    );
  }

  #load(): Promise<LockedModules> {
    return this.#known ??= this.#read();
  }

  async #read(): Promise<LockedModules> {
    const modules = await readLockFile(this.#path);
    if (modules !== undefined) return modules;
    if (this.#mode === "record") return new Map();
    throw unusableLockFile(this.#path, "no such file. Run once without --frozen to record it");
  }

  /** Writes after all earlier writes have ended, with all entries that are new by then. */
  #record(): Promise<void> {
    return this.#writing = this.#writing.catch(() => {}).then(() => this.#write());
  }

  async #write(): Promise<void> {
    if (this.#new.size === 0) return;
    const modules = new Map(await this.#read());
    const recorded = [...this.#new];
    let isComplete = true;
    for (const [url, module] of recorded) {
      const other = modules.get(url);
      if (other !== undefined && !isSame(other, module)) throw this.mismatch(url, other, module);
      isComplete &&= other !== undefined;
      modules.set(url, module);
    }
    try {
      await replaceFile(this.#path, new TextEncoder().encode(formatLockFile(modules)));
    } catch (error) {
      if (!isComplete) {
        throw new ServiceLoadError(
          `Cannot write lock file ${this.#path}: ${(error as Error).message}. ` +
            "Make it writable, or pass --frozen if it is complete",
        );
      }
      // Only types and charsets are missing, as in each file of an older Enoki.
    }
    this.#known = Promise.resolve(modules);
    for (const [url] of recorded) this.#new.delete(url);
  }
}

/** Tells whether content is what an entry asks for. */
export function isSame(expected: LockedModule, actual: LockedModule): boolean {
  if (expected.sha256 !== actual.sha256) return false;
  const [wanted, found] = [expected.reading, actual.reading];
  if (wanted === undefined || found === undefined) return true;
  return wanted.mediaType === found.mediaType && wanted.charset === found.charset;
}

function describe(reading: ModuleReading | undefined): string {
  return `${reading?.mediaType} in ${reading?.charset}`;
}
