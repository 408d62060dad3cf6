/**
 * The pages that show the documents: their HTML, and the scripts that start the renderers.
 *
 * The pages need nothing from elsewhere, and their policy lets them load nothing from elsewhere: scripts and pictures
 * come from the server itself, requests go to the server itself and to the servers that the document names.
 */

import { HAS_MESSAGE_RENDERER } from "./message_renderer.ts";

/** The documents that the page shows. Their addresses are relative to the page. */
export interface DocsOptions {
  /** Address of the OpenAPI document. @default {the page shows none} */
  readonly openapi?: string | undefined;
  /** Address of the AsyncAPI document, which has a page of its own. @default {the page does not lead to one} */
  readonly asyncapi?: string | undefined;
  /** Title of the page. @default {"API"} */
  readonly title?: string | undefined;
  /** Folder of the other files, relative to the page. @default {"docs/"} */
  readonly folder?: string | undefined;
  /** Origins beside its own that the page may send requests to, such as `https://api.example.org`. @default {[]} */
  readonly origins?: readonly string[] | undefined;
}

/** Names of the files of the page, beside the page itself. */
export const PAGE_SCRIPT = "page.js";
export const PAGE_STYLE = "page.css";
export const MESSAGES_PAGE = "asyncapi";
export const MESSAGES_SCRIPT = "asyncapi.js";

/** Writes the HTML of the page. */
export function pageHtml({ openapi, asyncapi, title = "API", folder = "docs/" }: DocsOptions): string {
  // Without the renderer, the browser shows the document as it is.
  const messages = HAS_MESSAGE_RENDERER ? folder + MESSAGES_PAGE : asyncapi;
  const other = asyncapi === undefined
    ? ""
    : `<p class="other"><a href="${escapeHtml(messages!)}">What goes through the broker: AsyncAPI</a></p>\n`;
  return html(
    title,
    `<link rel="icon" href="${escapeHtml(folder)}favicon-32x32.png">
<link rel="stylesheet" href="${escapeHtml(folder)}swagger-ui.css">
<link rel="stylesheet" href="${escapeHtml(folder)}${PAGE_STYLE}">`,
    `${other}<div id="page" data-openapi="${escapeHtml(openapi ?? "")}"></div>
<script src="${escapeHtml(folder)}swagger-ui-bundle.js"></script>
<script src="${escapeHtml(folder)}${PAGE_SCRIPT}"></script>`,
  );
}

/** Writes the HTML of the page that shows the AsyncAPI document. It is in the folder of the other files. */
export function messagesHtml({ asyncapi = "", title = "API", folder = "docs/" }: DocsOptions): string {
  const up = "../".repeat(folder.split("/").length - 1);
  return html(
    title,
    `<link rel="icon" href="favicon-32x32.png">
<link rel="stylesheet" href="asyncapi-renderer.css">`,
    `<div id="page" data-asyncapi="${escapeHtml(up + asyncapi)}"></div>
<script src="asyncapi-renderer.js"></script>
<script src="${MESSAGES_SCRIPT}"></script>`,
  );
}

/** Writes a page with a title, the links of its head, and its body. */
function html(title: string, links: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
${links}
</head>
<body>
${body}
</body>
</html>
`;
}

/**
 * The script of that page. The renderer takes a document whose references are resolved: what resolves them itself is a
 * megabyte more.
 */
export const MESSAGES_STARTER = `const page = document.querySelector("#page");

function resolveReferences(root) {
  const copies = new Map();
  const open = new Set();
  const find = (reference) =>
    reference.slice(2).split("/").reduce(
      (value, step) => value?.[decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")],
      root,
    );
  const copy = (value) => {
    if (typeof value !== "object" || value === null) return value;
    if (typeof value.$ref === "string" && value.$ref.startsWith("#/")) return copy(find(value.$ref));
    if (copies.has(value)) return copies.get(value);
    if (open.has(value)) return { description: "The same again." };
    open.add(value);
    const own = Array.isArray(value) ? [] : {};
    for (const [key, each] of Object.entries(value)) own[key] = copy(each);
    open.delete(value);
    copies.set(value, own);
    return own;
  };
  return copy(root);
}

fetch(new URL(page.dataset.asyncapi, location.href)).then((response) => response.json()).then((asyncapi) => {
  const schema = { ...resolveReferences(asyncapi), "x-parser-spec-parsed": true, "x-parser-api-version": 1 };
  AsyncApiStandalone.render({ schema, config: { show: { sidebar: true } } }, page);
}, (error) => page.textContent = String(error));
`;

/** The script that starts the renderer. It is a file, because the policy allows no script inside of a page. */
export const SCRIPT = `const page = document.querySelector("#page");
if (page.dataset.openapi !== "") {
  SwaggerUIBundle({
    url: new URL(page.dataset.openapi, location.href).href,
    domNode: page,
    deepLinking: true,
    tryItOutEnabled: true,
    // It would ask a server elsewhere.
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
  });
}
`;

export const STYLE = `body { margin: 0; }
.other { font-family: sans-serif; margin: 1em 2em; }
`;

/**
 * Headers of a page.
 *
 * @param compiles Whether its renderer makes code of texts, as that of AsyncAPI does.
 */
export function pageHeaders(
  { origins = [] }: DocsOptions,
  compiles = false,
): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    compiles ? "script-src 'self' 'unsafe-eval'" : "script-src 'self'",
    // The renderer writes styles into its elements.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    `connect-src ${["'self'", ...origins].join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { "content-security-policy": policy.join("; "), "referrer-policy": "no-referrer" };
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
