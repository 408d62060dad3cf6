import type { MethodDetails } from "../../runtime/service/described/method_details.ts";
import type { Parameter } from "../../runtime/service/declared/parameters.ts";
import { docComment } from "./comment.ts";
import { keyName, parameterName } from "./type_names.ts";

/** The types of a method in source. */
export interface MethodTypes {
  /** Returns the type of an argument; undefined if it is not known. */
  input(index: number): string | undefined;
  /** Type of the result; undefined if it is not known. */
  readonly output: string | undefined;
}

/** Characters of a line. */
const LINE = 100;

/** Writes the entry of a method in a contract, with its comment. */
export function methodSource(key: string, details: MethodDetails, types: MethodTypes): string {
  const { parameters, input = [] } = details;
  const known = parameters ?? input.map((): Parameter => ({ name: undefined, optional: false, rest: false }));
  const names = namesOf(known);
  const texts = known.map((parameter, index) => {
    const isLast = known.slice(index).every(({ optional, rest }) => optional || rest);
    return parameterText(parameter, names[index]!, types.input(index), isLast);
  });
  if (parameters === undefined && input.length === 0) texts.push("...args: unknown[]");
  const result = `Promise<${types.output ?? "unknown"}>`;
  const line = `  ${key}: rpc<(${texts.join(", ")}) => ${result}>(),\n`;
  const comment = docComment(commentLines(details, names), "  ");
  if (line.length <= LINE) return comment + line;
  const each = texts.map((text) => `      ${text},\n`).join("");
  return `${comment}  ${key}: rpc<\n    (${each === "" ? "" : `\n${each}    `}) => ${result}\n  >(),\n`;
}

function namesOf(parameters: readonly Parameter[]): readonly string[] {
  const taken = new Set<string>();
  return parameters.map(({ name, keywords }, index) => {
    const own = typeof name === "string" ? parameterName(name) : keywords && "options";
    const free = own === undefined || taken.has(own) ? `argument${index + 1}` : own;
    taken.add(free);
    return free;
  });
}

/** @param mayBeMissing Whether all parameters from this one on may be left out. */
function parameterText(
  { optional, rest, keywords }: Parameter,
  name: string,
  type: string | undefined,
  mayBeMissing: boolean,
): string {
  if (rest) return `...${name}: unknown[]`;
  const known = type ?? (Array.isArray(keywords) ? keywordType(keywords) : "unknown");
  if (!optional) return `${name}: ${known}`;
  return mayBeMissing ? `${name}?: ${known}` : `${name}: ${known} | undefined`;
}

function keywordType(keywords: NonNullable<Parameter["keywords"]>): string {
  const members = keywords.map(({ name, optional }) =>
    `${keyName(String(name))}${optional ? "?" : ""}: unknown`
  );
  return `{ ${members.join("; ")} }`;
}

function commentLines({ description, input = [], expected = [] }: MethodDetails, names: readonly string[]) {
  const tags = input.flatMap(({ description }, index) =>
    typeof description === "string" && names[index] !== undefined
      ? [`@param ${names[index]} ${description}`]
      : []
  );
  const thrown = expected.map((name) => `@throws {${name}}`);
  const isApart = description !== undefined && tags.length + thrown.length > 0;
  return [...(description === undefined ? [] : [description]), ...(isApart ? [""] : []), ...tags, ...thrown];
}
