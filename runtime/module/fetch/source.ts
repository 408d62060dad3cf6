import { Buffer } from "node:buffer";
import { ServiceLoadError } from "../../message/errors.ts";

/** Where a module was looked for there is none: nothing, nobody who answers, or what can be no module. */
export class NoModuleError extends ServiceLoadError {}

/** How the text of a module is to be read. */
export type ModuleMediaType = "ts" | "tsx" | "js" | "jsx" | "json";

/** A module as it was found. */
export interface ModuleSource {
  /** Where it was found, after redirects; what it imports is relative to this. */
  readonly url: string;
  readonly mediaType: ModuleMediaType;
  readonly text: string;
  /** Hash of its bytes, in hexadecimal, before they were decoded. */
  readonly sha256: string;
}

/** A module's bytes, and what came with them. */
export interface ModuleContent {
  /** Where they were found, after redirects. */
  readonly url: string;
  /** The header of that name; undefined for files. */
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
}

/**
 * Decodes a module.
 *
 * @param name What to call it in a message.
 * @throws {ServiceLoadError} If it is not of a type that can be a module, or not text.
 */
export function decodeModule({ url, contentType, bytes, sha256 }: ModuleContent, name: string): ModuleSource {
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
  // What is no web page has no older encoding to be guessed, and data: URLs claim US-ASCII by default.
  const charset = parameters.find((each) => each.startsWith("charset="))?.slice("charset=".length)
    .replaceAll('"', "").replace(/^us-ascii$/, "utf-8") || "utf-8";
  return { url, mediaType, text: decodeText(bytes, charset, name), sha256 };
}

/** The hash of a module's bytes, in hexadecimal. */
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

/** Types that say no more than that it is some text or some bytes. */
const VAGUE = /^(?:|text\/plain|application\/octet-stream)$/;
/** The last ones are what file servers take the extension for: video, and translations of Qt. */
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
  // As Deno has it, some extensions say more than the type does.
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
  } catch (cause) {
    throw new ServiceLoadError(
      cause instanceof RangeError
        ? `Cannot load module ${name}: its charset "${charset}" is unknown. Serve it as UTF-8`
        : `Cannot load module ${name}: it is not text in ${charset}. Serve it as UTF-8`,
    );
  }
}
