/**
 * The page that shows the documents of an API, and tries its operations out: what `HTTP_DOCS` has served, for programs
 * with a server of their own.
 *
 * @module
 */
import "./host_half.ts";

export { type DocsFile, docsFile } from "./docs_file.ts";
export type { DocsOptions } from "./page.ts";
