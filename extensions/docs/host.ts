/** What the HTTP server needs to offer the page, and the compiler to leave out of a binary what the page does not need. */
export { docsFile } from "./docs_file.ts";
export { unneededFiles } from "./renderer.ts";
