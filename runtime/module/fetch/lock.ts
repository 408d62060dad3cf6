/**
 * The lock file: which hash the content of each remote URL has to have.
 *
 * A URL that is in it never gives anything else, wherever the content comes from, origin or cache. One that is
 * not is recorded, or refused where the lock is frozen. What was asked for and where a redirect led are both in
 * it, so a redirect cannot be turned elsewhere either.
 *
 * Several processes may record at once: each writes all that it has read and its own on top, and replaces the
 * file in one step. Of two that do so in the same moment the later wins; what the other recorded is recorded
 * again at its next start.
 */
import { ServiceLoadError } from "../../message/errors.ts";
import { replaceFile } from "./cache.ts";
import { NoModuleError } from "./source.ts";
import { maskUrl } from "../../log/secrets.ts";

/** Options of {@linkcode ModuleLock}. */
export interface ModuleLockOptions {
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
   * The hash that the content of `url` has to have; undefined if it is new.
   *
   * @throws {NoModuleError} If it is new and the lock is frozen.
   * @throws {ServiceLoadError} If the file cannot be read.
   */
  async expect(url: string): Promise<string | undefined> {
    const hash = this.#new.get(url) ?? (await this.#load()).get(url);
    if (hash === undefined && this.#mode === "check") {
      throw new NoModuleError(
        `Cannot load module ${maskUrl(url)}: it is not in ${this.#path}, and --frozen refuses what is new. ` +
          "Run once without --frozen to record it",
      );
    }
    return hash;
  }

  /**
   * Checks what is known of these URLs and records the rest; it is in the file when this resolves.
   *
   * @throws {ServiceLoadError} If one has to have another hash, or is new and the lock is frozen.
   */
  async settle(urls: Iterable<string>, sha256: string): Promise<void> {
    for (const url of urls) {
      const expected = await this.expect(url);
      if (expected === undefined) this.#new.set(url, sha256);
      else if (expected !== sha256) throw this.mismatch(url, expected, sha256);
    }
    await this.#record();
  }

  /** What to throw for content with the wrong hash. */
  mismatch(url: string, expected: string, actual: string): ServiceLoadError {
    return new ServiceLoadError(
      `Cannot load module ${maskUrl(url)}: its sha256 is ${actual}, and ${this.#path} has ${expected}. ` +
        "If the change is wanted, delete its entry there and run again",
    );
  }

  #load(): Promise<Hashes> {
    return this.#known ??= readHashes(this.#path, this.#mode);
  }

  /** One write follows another, and takes along all that has come up meanwhile. */
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
