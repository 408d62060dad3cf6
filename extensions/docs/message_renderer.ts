/**
 * The files of the renderer of AsyncAPI documents, as its package has them.
 *
 * The package brings 130 MB of others along, of which the page needs none. So its name is made when somebody asks for
 * the page: no tool follows it, and no binary has it.
 */
import { fileURLToPath } from "node:url";

const PACKAGE = ["npm", "@asyncapi/react-component@3.2.1"].join(":");

/** Whether this program can have the package. A binary takes no more packages. */
export const HAS_MESSAGE_RENDERER = !Deno.build.standalone;

/** Paths of the files in the package, by the names that the page has for them. */
export const MESSAGE_RENDERER_PATHS: Readonly<Record<string, string>> = {
  "asyncapi-renderer.js": "browser/standalone/without-parser.js",
  "asyncapi-renderer.css": "styles/default.min.css",
};

/** Reads a file of the package. */
export async function readMessageRenderer(path: string): Promise<Uint8Array<ArrayBuffer>> {
  // The import has Deno fetch the package, which can be found on disk then.
  await import(`${PACKAGE}/package.json`, { with: { type: "json" } });
  return await Deno.readFile(fileURLToPath(import.meta.resolve(`${PACKAGE}/${path}`)));
}
