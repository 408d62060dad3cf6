/**
 * Makes the comment that documents something in generated source.
 *
 * @param lines The lines, of which one may be a text of several lines.
 * @returns The comment with the end of its last line; an empty text if nothing is to be said.
 */
export function docComment(lines: readonly string[], indent = ""): string {
  // A text of somebody else's must not end the comment.
  const all = lines.join("\n").trim().replaceAll("*/", "*\\/").split(/\r\n|[\n\r\u2028\u2029]/);
  if (all.length === 1 && all[0] === "") return "";
  if (all.length === 1 && all[0]!.length <= 90) return `${indent}/** ${all[0]} */\n`;
  return `${indent}/**\n${all.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}
