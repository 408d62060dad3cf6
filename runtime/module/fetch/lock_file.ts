/** The form of the lock file, of which every entry comes from outside: an edit, a merge or another Enoki. */
import { ServiceLoadError } from "../../message/errors.ts";
import type { ModuleMediaType, ModuleReading } from "./source.ts";

/** What the lock file has about the content of a URL. */
export interface LockedModule {
  readonly sha256: string;
  /** How the bytes are read; undefined if an older Enoki recorded the URL, which did not look at it. */
  readonly reading: ModuleReading | undefined;
}

/** Entries of a lock file by their URL. */
export type LockedModules = ReadonlyMap<string, LockedModule>;

/**
 * Reads a lock file; undefined if there is none.
 *
 * @throws {ServiceLoadError} If the file cannot be read or has another form.
 */
export async function readLockFile(path: string): Promise<LockedModules | undefined> {
  let text: string;
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile) throw new Error("it is no file");
    if (size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes. Delete it to record it anew`);
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unusableLockFile(path, (error as Error).message);
  }
  const modules = parseLockFile(text);
  if (modules !== undefined) return modules;
  throw unusableLockFile(
    path,
    'it is not of the form {"version": 2, "remote": {url: {"sha256": …, "type": "ts", "charset": "utf-8"}}}. ' +
      "Repair or delete it",
  );
}

/** Reads the text of a lock file, also of version 1, which had only the hash; undefined if it is none. */
export function parseLockFile(text: string): LockedModules | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(content)) return undefined;
  const { version, remote } = content;
  if ((version !== 1 && version !== 2) || !isObject(remote)) return undefined;
  const modules = new Map<string, LockedModule>();
  for (const [url, entry] of Object.entries(remote)) {
    const module = parseEntry(entry);
    if (module === undefined) return undefined;
    modules.set(url, module);
  }
  return modules;
}

/** Writes the text of a lock file. The URLs are in order, so that a change shows as a small difference. */
export function formatLockFile(modules: LockedModules): string {
  const remote = Object.fromEntries(
    [...modules].toSorted(([a], [b]) => a < b ? -1 : 1).map(([url, { sha256, reading }]) => [
      url,
      reading === undefined ? sha256 : { sha256, type: reading.mediaType, charset: reading.charset },
    ]),
  );
  return `${JSON.stringify({ version: 2, remote }, null, 2)}\n`;
}

/** Makes the error for a lock file that cannot be used. */
export function unusableLockFile(path: string, reason: string): ServiceLoadError {
  return new ServiceLoadError(`Cannot use lock file ${path}: ${reason}`);
}

/** Far more than any program has: some 50,000 modules. */
const MAX_BYTES = 16 * 1024 * 1024;

const SHA256_REGEXP = /^[\da-f]{64}$/;

const CHARSET_REGEXP = /^[\w.:-]{1,40}$/;

const TYPES: readonly unknown[] = ["ts", "tsx", "js", "jsx", "json"] satisfies ModuleMediaType[];

function parseEntry(entry: unknown): LockedModule | undefined {
  if (isSha256(entry)) return { sha256: entry, reading: undefined };
  if (!isObject(entry)) return undefined;
  const { sha256, type, charset } = entry;
  if (!isSha256(sha256) || !TYPES.includes(type)) return undefined;
  if (typeof charset !== "string" || !CHARSET_REGEXP.test(charset)) return undefined;
  return { sha256, reading: { mediaType: type as ModuleMediaType, charset } };
}

function isSha256(value: unknown): value is string {
  return typeof value === "string" && SHA256_REGEXP.test(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
