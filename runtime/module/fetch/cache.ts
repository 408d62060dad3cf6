/**
 * Remote modules on disk.
 *
 * Content lies in a file named by its own hash, and each URL has an entry that names the hash. Both are written
 * beside their place and then renamed, so a reader sees a whole file or none, whoever writes at the same time.
 * Content is hashed whenever it is read: what a broken disk or a half-wise hand has changed is not there. That is
 * no protection from somebody who may write here and changes the entry as well, so the folder is its owner's alone.
 *
 * A cache that cannot be written, or has no place, is an empty one: it costs a start its speed, and nothing else.
 */
import { isAbsolute, join } from "node:path";
import { type ModuleContent, sha256Of } from "./source.ts";

/** Contents of remote modules by the URL that was asked for. */
export class ModuleCache {
  readonly folder: string;

  /** @param folder Is made when first needed. */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** What that URL gave last; undefined if it is not here, or damaged. */
  async read(requested: string): Promise<ModuleContent | undefined> {
    try {
      const entry = JSON.parse(await Deno.readTextFile(await this.#entryPath(requested)));
      if (entry.requested !== requested || !SHA256.test(entry.sha256) || !URL.canParse(entry.url)) {
        return undefined;
      }
      const bytes = await Deno.readFile(this.#contentPath(entry.sha256));
      if (await sha256Of(bytes) !== entry.sha256) return undefined;
      return { url: entry.url, contentType: entry.contentType, bytes, sha256: entry.sha256 };
    } catch {
      return undefined;
    }
  }

  /** Keeps what that URL gave, if it can. */
  async write(requested: string, { url, contentType, bytes, sha256 }: ModuleContent): Promise<void> {
    try {
      for (const part of ["content", "entries"]) {
        await Deno.mkdir(join(this.folder, part), { recursive: true, mode: 0o700 });
      }
      await replaceFile(this.#contentPath(sha256), bytes);
      const entry = JSON.stringify({ requested, url, contentType, sha256 });
      await replaceFile(await this.#entryPath(requested), new TextEncoder().encode(entry));
    } catch {
      // It is fetched again next time.
    }
  }

  #contentPath(sha256: string): string {
    return join(this.folder, "content", sha256);
  }

  async #entryPath(requested: string): Promise<string> {
    return join(this.folder, "entries", `${await sha256Of(new TextEncoder().encode(requested))}.json`);
  }
}

/** Where the modules of this user are kept; undefined where the environment names no place. */
export function defaultCacheFolder(env: Pick<Deno.Env, "get"> = Deno.env): string | undefined {
  const get = (name: string) => {
    try {
      return env.get(name) || undefined;
    } catch {
      // The process may not read its environment.
      return undefined;
    }
  };
  const own = get("ENOKI_CACHE");
  if (own !== undefined) return join(own, "modules");
  const shared = [get("XDG_CACHE_HOME"), get("LOCALAPPDATA")].find((path) => path && isAbsolute(path));
  if (shared !== undefined) return join(shared, "enoki", "modules");
  const home = get("HOME");
  return home === undefined ? undefined : join(home, ".cache", "enoki", "modules");
}

/**
 * Writes a file so that everybody sees the old content or the new, whole.
 *
 * @throws {Error} That of the file system.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(beside, bytes, { createNew: true });
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}

const SHA256 = /^[\da-f]{64}$/;
