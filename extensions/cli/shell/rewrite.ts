/**
 * Rewrites what a user of the shell has written, so that it can be the body of an async function.
 *
 * The last expression becomes what the function returns. Names that the text declares at its top level become
 * properties of a scope, which all inputs share: a later input sees them, and may declare them again. Imports become
 * calls of `enoki_import`. Everything stays in its line, so that a stack names the lines of the text.
 */
import type { AnyNode, Pattern, Program } from "../../../runtime/service/declared/parser.ts";

/** A text that has been rewritten. */
export interface Rewritten {
  readonly text: string;
  /** What it declares. */
  readonly names: readonly string[];
  /** Those of the names that are functions, which exist before the first statement runs. */
  readonly functions: readonly string[];
}

/** Rewrites a text for the body of an async function inside a scope. */
export function rewrite(code: string, { body }: Program): Rewritten {
  const edits = new Edits(code);
  const names: string[] = [];
  const functions: string[] = [];
  for (const statement of body) {
    switch (statement.type) {
      case "VariableDeclaration": {
        const { kind, declarations, start } = statement;
        // What is disposed at the end of the input is of no use to later ones.
        if (kind === "using" || kind === "await using") break;
        edits.replace(start, start + kind.length, ";(");
        for (const { id, init, end } of declarations) {
          names.push(...namesIn(id));
          if (init == null && kind !== "var") edits.insert(end, " = void 0");
        }
        edits.insert(declarations.at(-1)!.end, ");");
        break;
      }
      case "FunctionDeclaration":
        names.push(statement.id.name);
        functions.push(statement.id.name);
        break;
      case "ClassDeclaration":
        names.push(statement.id.name);
        edits.insert(statement.start, `;${statement.id.name} = `);
        edits.insert(statement.end, ";");
        break;
      case "ImportDeclaration": {
        const { specifiers, source, attributes, start, end } = statement;
        const options = attributes.length === 0
          ? ""
          : `, { with: { ${attributes.map((each) => code.slice(each.start, each.end)).join()} } }`;
        const assignments = specifiers.map((specifier) => {
          names.push(specifier.local.name);
          return `${specifier.local.name} = enoki_module${memberOf(specifier)};`;
        });
        const lines = code.slice(start, end).replace(/[^\n]/g, "");
        edits.replace(
          start,
          end,
          `;((enoki_module) => { ${
            assignments.join(" ")
          } })(await enoki_import(${source.raw}${options}));${lines}`,
        );
        break;
      }
    }
  }
  const last = body.findLast(({ type }) => type !== "EmptyStatement");
  if (last?.type === "ExpressionStatement") {
    edits.insert(last.start, "return (");
    edits.insert(code[last.end - 1] === ";" ? last.end - 1 : last.end, ")");
  }
  for (const node of nodesIn(body)) {
    if (node.type === "ImportExpression") {
      edits.replace(node.start, node.start + "import".length, "enoki_import");
    }
  }
  return { text: edits.apply(), names, functions };
}

function memberOf(specifier: AnyNode): string {
  if (specifier.type === "ImportDefaultSpecifier") return ".default";
  if (specifier.type !== "ImportSpecifier") return "";
  const { imported } = specifier;
  return imported.type === "Literal" ? `[${imported.raw}]` : `.${imported.name}`;
}

function namesIn(pattern: Pattern): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((property) =>
        namesIn(property.type === "RestElement" ? property.argument : property.value)
      );
    case "ArrayPattern":
      return pattern.elements.flatMap((element) => element === null ? [] : namesIn(element));
    case "RestElement":
      return namesIn(pattern.argument);
    case "AssignmentPattern":
      return namesIn(pattern.left);
    default:
      return [];
  }
}

function* nodesIn(value: unknown): Generator<AnyNode> {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value && "start" in value) yield value as AnyNode;
  for (const child of Object.values(value)) yield* nodesIn(child);
}

/** Changes of a text at the positions of the text as it was. */
class Edits {
  readonly #code: string;
  readonly #edits: { readonly start: number; readonly end: number; readonly text: string }[] = [];

  constructor(code: string) {
    this.#code = code;
  }

  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  insert(at: number, text: string): void {
    this.replace(at, at, text);
  }

  /** Returns the changed text. Changes at one position stand in the order in which they were made. */
  apply(): string {
    let changed = "";
    let copied = 0;
    for (const { start, end, text } of this.#edits.toSorted((a, b) => a.start - b.start)) {
      changed += this.#code.slice(copied, start) + text;
      copied = end;
    }
    return changed + this.#code.slice(copied);
  }
}
