import { Buffer } from "node:buffer";
import { ServiceLoadError } from "../../message/errors.ts";

/** There is no module at a URL: nothing is there, no server answers, or the content cannot be a module. */
export class NoModuleError extends ServiceLoadError {}

/** Language of the text of a module. */
export type ModuleMediaType = "ts" | "tsx" | "js" | "jsx" | "json";

/** How the bytes of a module are read: read in another way, the same bytes may be another program. */
export interface ModuleReading {
  readonly mediaType: ModuleMediaType;
  /** Name of the charset in the form of `TextDecoder`, which has one name for each charset. */
  readonly charset: string;
}

/** A module as it was found. */
export interface ModuleSource extends ModuleReading {
  /** URL of the module after redirects. Its relative imports start there. */
  readonly url: string;
  readonly text: string;
  /** Hash of the module's bytes before they were decoded, in hexadecimal. */
  readonly sha256: string;
}

/** The bytes of a module, and the data that came with them. */
export interface ModuleContent {
  /** URL of the module after redirects. */
  readonly url: string;
  /** The `content-type` header; undefined for files. */
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
}

/**
 * Decodes a module.
 *
 * @param name Name of the module in error messages.
 * @throws {NoModuleError} If the type of the content cannot be that of a module.
 * @throws {ServiceLoadError} If the content is not text in its charset, or the charset is unknown.
 */
export function decodeModule(content: ModuleContent, name: string): ModuleSource {
  const reading = readingOf(content, name);
  const { url, bytes, sha256 } = content;
  return { url, ...reading, text: decodeText(bytes, reading.charset, name), sha256 };
}

/**
 * Tells how the bytes of a module are to be read.
 *
 * @param name Name of the module in error messages.
 * @throws {NoModuleError} If the type of the content cannot be that of a module.
 * @throws {ServiceLoadError} If the charset is unknown.
 */
export function readingOf(
  { url, contentType }: Pick<ModuleContent, "url" | "contentType">,
  name: string,
): ModuleReading {
  const [essence = "", ...parameters] = (contentType ?? "").split(";").map((part) =>
    part.trim().toLowerCase()
  );
  const mediaType = mediaTypeOf(url, essence);
  if (mediaType === undefined) {
    const state = essence === "" ? "its name has no known extension" : `its content type is ${essence}`;
    throw new NoModuleError(
      `Cannot load module ${name}: ${state}, so it is neither TypeScript, JavaScript nor JSON. Check the URL`,
    );
  }
  // A module without a charset is UTF-8: only web pages may have an older encoding that must be guessed.
  // US-ASCII is read as UTF-8 too, because data: URLs claim US-ASCII by default.
  const charset = parameters.find((each) => each.startsWith("charset="))?.slice("charset=".length)
    .replaceAll('"', "").replace(/^us-ascii$/, "utf-8") || "utf-8";
  try {
    return { mediaType, charset: new TextDecoder(charset).encoding };
  } catch {
    throw new ServiceLoadError(
      `Cannot load module ${name}: its charset "${charset}" is unknown. Serve it as UTF-8`,
    );
  }
}

/** Returns the hash of a module's bytes, in hexadecimal. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
}

const BY_EXTENSION: Readonly<Record<string, ModuleMediaType>> = {
  ts: "ts",
  mts: "ts",
  tsx: "tsx",
  js: "js",
  mjs: "js",
  jsx: "jsx",
  json: "json",
};

/** Matches types that say only that the content is text or bytes. */
const VAGUE = /^(?:|text\/plain|application\/octet-stream)$/;
/**
 * Matches types of TypeScript. The last ones are types of videos and of Qt translations: file servers wrongly
 * derive them from the extension.
 */
const TYPESCRIPT =
  /^(?:(?:text|application)\/(?:x-)?typescript|video\/(?:mp2t|vnd\.dlna\.mpeg-tts)|text\/vnd\.trolltech\.linguist)$/;
const JAVASCRIPT = /^(?:text|application)\/(?:x-)?(?:javascript|ecmascript)$/;
const JSON_TYPE = /^(?:(?:text|application)\/json|[^/]+\/[^/]+\+json)$/;

function mediaTypeOf(url: string, essence: string): ModuleMediaType | undefined {
  const extension = url.startsWith("data:")
    ? undefined
    : /\.([a-z]+)$/.exec(new URL(url).pathname.toLowerCase())?.[1];
  const named = extension === undefined ? undefined : BY_EXTENSION[extension];
  if (VAGUE.test(essence)) return named;
  // As in Deno, some extensions say more than the type does.
  const isTelling = named === "tsx" || named === "jsx" || extension === "mts" || extension === "mjs";
  if (TYPESCRIPT.test(essence)) return isTelling ? named : "ts";
  if (JAVASCRIPT.test(essence)) return isTelling ? named : "js";
  if (JSON_TYPE.test(essence)) return "json";
  if (essence === "text/tsx") return "tsx";
  return essence === "text/jsx" ? "jsx" : undefined;
}

function decodeText(bytes: Uint8Array<ArrayBuffer>, charset: string, name: string): string {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    throw new ServiceLoadError(
      `Cannot load module ${name}: it is not text in ${charset}. Serve it as UTF-8`,
    );
  }
}
