/**
 * Keeps remote modules on disk.
 *
 * The cache keeps content in a file that is named by the hash of the content. Each URL has an entry that
 * names the hash. The cache writes both files under another name beside their place and then renames them, so
 * a reader sees a whole file or none, even while several processes write. The cache hashes content whenever
 * it reads it: content that a broken disk or a careless edit has changed counts as missing. This does not
 * protect from somebody who can write to the folder and changes the entry as well, so only the owner of the
 * folder has access to it, and the cache refuses a folder to which others can write.
 *
 * A cache that cannot be written, or has no folder, acts as an empty cache: a start is slower, and nothing
 * else changes.
 */
import { isAbsolute, join } from "node:path";
import { ConfigurationError } from "../../message/errors.ts";
import { dangerOf } from "./private_folder.ts";
import { type ModuleContent, sha256Of } from "./source.ts";

/** Contents of remote modules by the URL that was asked for. */
export class ModuleCache {
  readonly folder: string;
  #safety: Promise<void> | undefined;

  /** @param folder Path of the folder. The cache makes it when it first needs it. */
  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Returns the content that the URL gave last; undefined if the content is missing or damaged.
   *
   * @throws {ConfigurationError} If users other than this one can write to the folder.
   */
  async read(requested: string): Promise<ModuleContent | undefined> {
    await (this.#safety ??= this.#requireSafety());
    try {
      const entry = JSON.parse(await Deno.readTextFile(await this.#entryPath(requested)));
      if (entry.requested !== requested || !SHA256.test(entry.sha256) || !URL.canParse(entry.url)) {
        return undefined;
      }
      if (entry.contentType !== undefined && typeof entry.contentType !== "string") return undefined;
      const bytes = await Deno.readFile(this.#contentPath(entry.sha256));
      if (await sha256Of(bytes) !== entry.sha256) return undefined;
      return { url: entry.url, contentType: entry.contentType, bytes, sha256: entry.sha256 };
    } catch {
      return undefined;
    }
  }

  /**
   * Keeps the content that the URL gave. A failure to write it is no error.
   *
   * @throws {ConfigurationError} If users other than this one can write to the folder.
   */
  async write(requested: string, { url, contentType, bytes, sha256 }: ModuleContent): Promise<void> {
    await (this.#safety ??= this.#requireSafety());
    try {
      for (const part of ["content", "entries"]) {
        await Deno.mkdir(join(this.folder, part), { recursive: true, mode: 0o700 });
      }
      await replaceFile(this.#contentPath(sha256), bytes);
      const entry = JSON.stringify({ requested, url, contentType, sha256 });
      await replaceFile(await this.#entryPath(requested), new TextEncoder().encode(entry));
    } catch {
      // The next start fetches the module again.
    }
  }

  async #requireSafety(): Promise<void> {
    for (const folder of [this.folder, join(this.folder, "content"), join(this.folder, "entries")]) {
      const danger = await Deno.stat(folder).then((info) => dangerOf(info), () => undefined);
      if (danger === undefined) continue;
      throw new ConfigurationError(
        `Cannot use module cache ${folder}: ${danger}. Run chmod go-w ${folder}, or set ENOKI_CACHE to a folder ` +
          "that you own",
      );
    }
  }

  #contentPath(sha256: string): string {
    return join(this.folder, "content", sha256);
  }

  async #entryPath(requested: string): Promise<string> {
    return join(this.folder, "entries", `${await sha256Of(new TextEncoder().encode(requested))}.json`);
  }
}

/** Returns the folder in which the modules of this user are kept; undefined if the environment names none. */
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
 * Replaces a file in one step: every reader sees either the whole old content or the whole new content.
 *
 * @throws {Error} The error of the file system if the file cannot be written.
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
