/**
 * The lock file lists the hash that the content of each remote URL must have.
 *
 * A URL that is in the file never gives other content, whether the content comes from the origin or from the
 * cache. A URL that is not in the file is recorded, or refused if the lock is frozen. The file has both the
 * URL that was asked for and the URL to which a redirect led, so nobody can point the redirect to other
 * content.
 *
 * Several processes may record hashes at the same time. Each process writes all hashes that it has read
 * together with its own new ones, and replaces the file in one step. If two processes do so at the same
 * moment, the later one wins. The other process records its hashes again at its next start.
 */
import { ServiceLoadError } from "../../message/errors.ts";
import { replaceFile } from "./cache.ts";
import { NoModuleError } from "./source.ts";
import { maskUrl } from "../../log/secrets.ts";

/** Options of {@linkcode ModuleLock}. */
export interface ModuleLockOptions {
  /** Path of the lock file. */
  readonly path: string;
  /** Whether a URL that is not in the file is recorded in it, or refused. */
  readonly mode: "record" | "check";
}

/** Hashes of remote modules by their URL. */
export class ModuleLock {
  readonly #path: string;
  readonly #mode: "record" | "check";
  readonly #new = new Map<string, string>();
  #known: Promise<Hashes> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor({ path, mode }: ModuleLockOptions) {
    this.#path = path;
    this.#mode = mode;
  }

  /**
   * Returns the hash that the content of `url` must have; undefined if the URL is new.
   *
   * @throws {NoModuleError} If the URL is new and the lock is frozen.
   * @throws {ServiceLoadError} If the lock file cannot be read.
   */
  async expect(url: string): Promise<string | undefined> {
    const hash = this.#new.get(url) ?? (await this.#load()).get(url);
    if (hash === undefined && this.#mode === "check") {
      throw new NoModuleError(
        `Cannot load module ${maskUrl(url)}: it is not in ${this.#path}, and --frozen refuses new modules. ` +
          "Run once without --frozen to record it",
      );
    }
    return hash;
  }

  /**
   * Checks the URLs that are known and records the new ones. The file has them when this method resolves.
   *
   * @throws {ServiceLoadError} If a URL must have another hash, or is new and the lock is frozen.
   */
  async settle(urls: Iterable<string>, sha256: string): Promise<void> {
    for (const url of urls) {
      const expected = await this.expect(url);
      if (expected === undefined) this.#new.set(url, sha256);
      else if (expected !== sha256) throw this.mismatch(url, expected, sha256);
    }
    await this.#record();
  }

  /** Makes the error for content with a wrong hash. */
  mismatch(url: string, expected: string, actual: string): ServiceLoadError {
    return new ServiceLoadError(
      `Cannot load module ${maskUrl(url)}: its sha256 is ${actual}, and ${this.#path} has ${expected}. ` +
        "If the change is wanted, delete its entry there and run again",
    );
  }

  #load(): Promise<Hashes> {
    return this.#known ??= readHashes(this.#path, this.#mode);
  }

  /** Writes after all earlier writes have ended, with all hashes that are new by then. */
  #record(): Promise<void> {
    return this.#writing = this.#writing.catch(() => {}).then(() => this.#write());
  }

  async #write(): Promise<void> {
    if (this.#new.size === 0) return;
    const hashes = new Map(await readHashes(this.#path, this.#mode));
    const recorded = [...this.#new];
    for (const [url, sha256] of recorded) {
      const other = hashes.get(url);
      if (other !== undefined && other !== sha256) throw this.mismatch(url, other, sha256);
      hashes.set(url, sha256);
    }
    const remote = Object.fromEntries([...hashes].toSorted(([a], [b]) => a < b ? -1 : 1));
    const text = `${JSON.stringify({ version: 1, remote }, null, 2)}\n`;
    try {
      await replaceFile(this.#path, new TextEncoder().encode(text));
    } catch (error) {
      throw new ServiceLoadError(
        `Cannot write lock file ${this.#path}: ${(error as Error).message}. ` +
          "Make it writable, or pass --frozen if it is complete",
      );
    }
    this.#known = Promise.resolve(hashes);
    for (const [url] of recorded) this.#new.delete(url);
  }
}

type Hashes = ReadonlyMap<string, string>;

async function readHashes(path: string, mode: "record" | "check"): Promise<Hashes> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      if (mode === "record") return new Map();
      throw unreadable(path, "no such file. Run once without --frozen to record it");
    }
    throw unreadable(path, (error as Error).message);
  }
  const wrong = 'it is not of the form {"version": 1, "remote": {url: sha256}}. Repair or delete it';
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw unreadable(path, wrong);
  }
  if (!isLock(content)) throw unreadable(path, wrong);
  return new Map(Object.entries(content.remote));
}

function isLock(value: unknown): value is { readonly remote: Readonly<Record<string, string>> } {
  if (typeof value !== "object" || value === null || !("version" in value) || !("remote" in value)) {
    return false;
  }
  const { version, remote } = value;
  return version === 1 && typeof remote === "object" && remote !== null &&
    Object.values(remote).every((hash) => typeof hash === "string" && /^[\da-f]{64}$/.test(hash));
}

function unreadable(path: string, reason: string): ServiceLoadError {
  return new ServiceLoadError(`Cannot use lock file ${path}: ${reason}`);
}
