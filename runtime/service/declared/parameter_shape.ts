/**
 * The shape of a function's parameters: a text that is the same for its TypeScript source and for the
 * JavaScript that runs.
 *
 * The trees of acorn and of Babel differ in the names of a few nodes, which this file allows for.
 */

/** A node of a syntax tree, of any parser that follows ESTree. */
export interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Gives the name that the author wrote for an identifier of a pattern. */
export type NameOfIdentifier = (identifier: SyntaxNode) => string;

/** Describes the parameters of a function, and whether it is async or a generator. */
export function shapeOf(
  { async, generator }: SyntaxNode,
  params: readonly SyntaxNode[],
  nameOf: NameOfIdentifier = ({ name }) => String(name),
): string {
  const shapes = params.map((param) => shapeOfPattern(param, nameOf));
  return `${async === true ? "async " : ""}${generator === true ? "*" : ""}(${shapes.join()})`;
}

function shapeOfPattern(pattern: SyntaxNode | null, nameOf: NameOfIdentifier): string {
  switch (pattern?.type) {
    case "Identifier":
      return nameOf(pattern);
    case "AssignmentPattern":
      return `${shapeOfPattern(pattern["left"] as SyntaxNode, nameOf)}=`;
    case "RestElement":
      return `...${shapeOfPattern(pattern["argument"] as SyntaxNode, nameOf)}`;
    case "TSParameterProperty":
      return shapeOfPattern(pattern["parameter"] as SyntaxNode, nameOf);
    case "ArrayPattern":
      return `[${(pattern["elements"] as readonly unknown[]).length}]`;
    // A bundler may rename what a property is bound to, but not the key.
    case "ObjectPattern":
      return `{${(pattern["properties"] as readonly SyntaxNode[]).map(keyOf).join()}}`;
    default:
      return "";
  }
}

function keyOf(property: SyntaxNode): string {
  return property.type === "RestElement" ? "..." : String(keyName(property));
}

/** Gives the name that a property's key states; null if the key is computed when the code runs. */
export function keyName({ key, computed }: SyntaxNode): string | null {
  const { type, name, value, id } = key as SyntaxNode;
  if (type === "StringLiteral" || type === "Literal" || type === "NumericLiteral") return String(value);
  if (type === "PrivateName") return `#${(id as SyntaxNode)["name"]}`;
  return type === "Identifier" && computed !== true ? String(name) : null;
}
