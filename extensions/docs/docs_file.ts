import { createHash } from "node:crypto";
import { HAS_MESSAGE_RENDERER } from "./message_renderer.ts";
import {
  type DocsOptions,
  MESSAGES_PAGE,
  MESSAGES_SCRIPT,
  MESSAGES_STARTER,
  messagesHtml,
  PAGE_SCRIPT,
  PAGE_STYLE,
  pageHeaders,
  pageHtml,
  SCRIPT,
  STYLE,
} from "./page.ts";
import { rendererFile } from "./renderer.ts";

/** A file of the page, as a server sends it. */
export interface DocsFile {
  /** Its bytes, or its text. */
  readonly body: Uint8Array<ArrayBuffer> | string;
  /** Its type, its `etag`, how long it may be kept, and the policy of the page. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Gives a file of the page that shows the documents of an API, with what it needs.
 *
 * @param name Name of the file in its folder. The empty name is the page itself.
 * @returns Undefined if there is no such file.
 *
 * @example
 * ```ts
 * import { docsFile } from "@enoki/enoki/docs";
 *
 * const page = await docsFile("", { openapi: "openapi.json", title: "Shop" });
 * const response = new Response(page!.body, { headers: page!.headers });
 * ```
 */
export async function docsFile(name: string, options: DocsOptions): Promise<DocsFile | undefined> {
  if (name === "") return made(pageHtml(options), "text/html; charset=utf-8", pageHeaders(options));
  if (HAS_MESSAGE_RENDERER && options.asyncapi !== undefined) {
    if (name === MESSAGES_PAGE) {
      return made(messagesHtml(options), "text/html; charset=utf-8", pageHeaders(options, true));
    }
    if (name === MESSAGES_SCRIPT) return made(MESSAGES_STARTER, "text/javascript; charset=utf-8");
  }
  if (name === PAGE_SCRIPT) return made(SCRIPT, "text/javascript; charset=utf-8");
  if (name === PAGE_STYLE) return made(STYLE, "text/css; charset=utf-8");
  const file = await rendererFile(name);
  return file && made(file.bytes, file.type);
}

const etags = new WeakMap<Uint8Array, string>();

function made(
  body: Uint8Array<ArrayBuffer> | string,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): DocsFile {
  let etag = typeof body === "string" ? undefined : etags.get(body);
  if (etag === undefined) {
    etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`;
    if (typeof body !== "string") etags.set(body, etag);
  }
  return {
    body,
    headers: {
      "content-type": type,
      etag,
      // A file may be another one after an update, so a browser asks each time whether it has changed.
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  };
}
