/** Finds functions and the signatures of entrypoints in the syntax tree of a TypeScript source. */
import { wordsOf } from "./optional_marks.ts";
import type { DeclaredFunction } from "./optional_parameters.ts";
import { keyName, shapeOf, type SyntaxNode } from "./parameter_shape.ts";

/** A function in a source that has a parameter after the context. */
export interface FoundFunction extends DeclaredFunction {
  /** Which of its parameters have a type of their own. */
  readonly annotated: readonly boolean[];
  /** Words that the source of a function like it must have. */
  readonly words: readonly string[];
}

/** A signature that an entrypoint states, such as `rpc<(a: string, b?: string) => void>()`. */
export interface StatedSignature {
  readonly method: string;
  /** How many parameters it has. */
  readonly count: number;
  /** Places of the parameters with a `?`, from 0. */
  readonly optional: readonly number[];
}

/** What one source declares. */
export interface Declarations {
  readonly functions: readonly FoundFunction[];
  readonly signatures: readonly StatedSignature[];
}

/** A node that is still to be visited, with the name that its surroundings give to a function. */
interface Visit {
  readonly node: SyntaxNode;
  readonly given: string | null;
}

/** Finds the functions that may be handlers, and the signatures of entrypoints. */
export function declarationsOf(program: SyntaxNode): Declarations {
  const functions: FoundFunction[] = [];
  const signatures: StatedSignature[] = [];
  const visits: Visit[] = [{ node: program, given: "" }];
  for (let visit = visits.pop(); visit !== undefined; visit = visits.pop()) {
    const { node, given } = visit;
    const name = nameOfFunction(node, given);
    const declared = name === undefined ? undefined : declaredFunction(node, name);
    if (declared !== undefined) functions.push(declared);
    if (node.type === "ObjectProperty") signatures.push(...signaturesOf(node));
    for (const [field, value] of Object.entries(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) visits.push({ node: child, given: nameGiven(node, field, given) });
      }
    }
  }
  return { functions, signatures };
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string";
}

/** Returns the name of a function when it runs; undefined if a node is no function that can be a handler. */
function nameOfFunction(node: SyntaxNode, given: string | null): string | null | undefined {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return isNode(node["id"]) ? String(node["id"]["name"]) : given;
    case "ObjectMethod":
    case "ClassMethod":
    case "ClassPrivateMethod":
      return node["kind"] === "method" ? keyName(node) : undefined;
  }
}

function declaredFunction(node: SyntaxNode, name: string | null): FoundFunction | undefined {
  const params = withoutThis(node["params"] as readonly SyntaxNode[]);
  if (params.length < 2) return undefined;
  const names = params.filter(({ type }) => type === "Identifier").map(({ name }) => String(name));
  return {
    name,
    shape: shapeOf(node, params),
    optional: placesOfOptional(params),
    annotated: params.map(({ typeAnnotation }) => isNode(typeAnnotation)),
    words: name === null ? names : [...names, ...wordsOf(name)],
  };
}

const NAMING_OPERATORS: readonly unknown[] = ["=", "||=", "&&=", "??="];

/** Returns the name that a node gives to an anonymous function in one of its fields. */
function nameGiven(node: SyntaxNode, field: string, given: string | null): string | null {
  switch (node.type) {
    case "ObjectProperty":
    case "ClassProperty":
    case "ClassPrivateProperty":
    case "ClassAccessorProperty":
      return field === "value" ? keyName(node) : "";
    case "VariableDeclarator":
      return field === "init" ? nameOfTarget(node["id"]) : "";
    case "AssignmentExpression":
      return field === "right" && NAMING_OPERATORS.includes(node["operator"])
        ? nameOfTarget(node["left"])
        : "";
    case "AssignmentPattern":
      return field === "right" ? nameOfTarget(node["left"]) : "";
    case "ExportDefaultDeclaration":
      return "default";
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "TSTypeAssertion":
      return given;
    default:
      return "";
  }
}

function nameOfTarget(target: unknown): string {
  return isNode(target) && target.type === "Identifier" ? String(target["name"]) : "";
}

/** Reads the signatures in an entry such as `place: rpc<(order: Order, note?: string) => void>()`. */
function signaturesOf(property: SyntaxNode): readonly StatedSignature[] {
  const method = keyName(property);
  const { value } = property as { readonly value?: unknown };
  if (method === null || !isNode(value)) return [];
  const entries = value.type === "ArrayExpression" ? value["elements"] as readonly unknown[] : [value];
  return entries.flatMap((entry) => {
    const types = isNode(entry) && entry.type === "CallExpression" ? entry["typeArguments"] : undefined;
    const [type] = isNode(types) ? types["params"] as readonly SyntaxNode[] : [];
    if (type?.type !== "TSFunctionType") return [];
    const params = withoutThis(type["params"] as readonly SyntaxNode[]);
    return [{ method, count: params.length, optional: placesOfOptional(params) }];
  });
}

function withoutThis(params: readonly SyntaxNode[]): readonly SyntaxNode[] {
  return params.filter(({ type, name }) => type !== "Identifier" || name !== "this");
}

function placesOfOptional(params: readonly SyntaxNode[]): readonly number[] {
  return params.flatMap(({ optional }, place) => optional === true ? [place] : []);
}
