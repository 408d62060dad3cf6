/** The JavaScript parser. It takes about 8 ms to load and 2 MB, so whoever reads a source loads it then. */
import type { AnyNode, Options, Pattern, Program } from "npm:acorn@8.19.0";

export type { AnyNode, Pattern, Program };

/**
 * Parses JavaScript of the newest version.
 *
 * @throws {SyntaxError} If the text is not JavaScript. Its `pos` is the offset, and its `raisedAt` is how far the
 * parser has read.
 */
export type Parse = (source: string, options: Omit<Options, "ecmaVersion">) => Program;

/** Loads the parser. */
export async function loadParser(): Promise<Parse> {
  const { parse } = await import("npm:acorn@8.19.0");
  return (source, options) => parse(source, { ecmaVersion: "latest", ...options });
}
