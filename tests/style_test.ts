/**
 * How error messages are written.
 *
 * A bare `Error` is a reason that stands behind somebody's colon (`Cannot reach …: the broker did not answer`), so
 * it begins as it likes. What commander is told is a sentence of commander's message.
 */
import { deepStrictEqual } from "node:assert/strict";
import type { AnyNode } from "acorn";
import denoJson from "../deno.json" with { type: "json" };
import { nodesOf, reachableFrom, SOURCES } from "./fixtures/source_tree.ts";

/** Files whose errors are reasons too: their one caller puts the action and the place before them. */
const REASONS = [
  "runtime/config/references.ts:",
  "runtime/message/payload/bzip2.ts:",
  "runtime/message/payload/exact_json.ts:",
];

/** The text of an error as the source has it, with a mark in place of what is only known at run time. */
interface ErrorText {
  readonly errorClass: string;
  readonly place: string;
  readonly text: string;
}

const UNKNOWN = "\0";

const CONTRACTION = new RegExp(
  [
    String.raw`\b(?:ca|wo|do|does|did|is|are|was|were|has|have|had|could|should|would|must|need)n't\b`,
    String.raw`\b(?:it|that|what|there|here|he|she|who|let|where)'s\b`,
    String.raw`\b(?:we|you|they|i)'(?:re|ve|ll|d|m)\b`,
  ].join("|"),
  "i",
);

/** Texts of what is constructed as an error, or passed by a class of errors to its base. */
function* errorTexts(): Generator<ErrorText> {
  for (const { path, program, text: source } of SOURCES.values()) {
    for (const node of nodesOf(program)) {
      const { errorClass, message } = constructionIn(node) ?? {};
      const text = message && textOf(message);
      if (errorClass === undefined || errorClass === "InvalidArgumentError" || text === undefined) continue;
      yield { errorClass, place: `${path}:${source.slice(0, message!.start).split("\n").length}`, text };
    }
  }
}

interface Construction {
  readonly errorClass: string;
  readonly message: AnyNode | undefined;
}

function constructionIn(node: AnyNode): Construction | undefined {
  if (node.type === "NewExpression" && node.callee.type === "Identifier") {
    const { name } = node.callee;
    return /(?:Error|^DOMException)$/.test(name)
      ? { errorClass: name, message: node.arguments[0] }
      : undefined;
  }
  if (node.type !== "ClassDeclaration" || node.superClass?.type !== "Identifier") return undefined;
  if (!node.superClass.name.endsWith("Error")) return undefined;
  for (const inner of nodesOf(node.body)) {
    if (inner.type !== "CallExpression" || inner.callee.type !== "Super") continue;
    return { errorClass: node.id?.name ?? "", message: inner.arguments[0] };
  }
  return undefined;
}

function textOf(node: AnyNode): string | undefined {
  switch (node.type) {
    case "Literal":
      return typeof node.value === "string" ? node.value : undefined;
    case "TemplateLiteral":
      return node.quasis.map(({ value }) => value.cooked).join(UNKNOWN);
    case "BinaryExpression":
      return `${textOf(node.left) ?? UNKNOWN}${textOf(node.right) ?? UNKNOWN}`;
    default:
      return undefined;
  }
}

const TEXTS = [...errorTexts()];

function offenders(offends: (text: string, errorClass: string) => boolean): string[] {
  return TEXTS.filter(({ text, errorClass }) => offends(text, errorClass)).map(({ place, text }) =>
    `${place} ${text.replaceAll(UNKNOWN, "…")}`
  );
}

Deno.test("error messages are found in the source", () => {
  deepStrictEqual(TEXTS.length > 20, true);
});

Deno.test("error messages begin with a capital", () => {
  const small = offenders((text, errorClass) => errorClass !== "Error" && /^[a-z]/.test(text));
  deepStrictEqual(small.filter((found) => !REASONS.some((file) => found.startsWith(file))), []);
});

Deno.test("error messages have no final period", () => {
  deepStrictEqual(offenders((text) => text.endsWith(".")), []);
});

Deno.test("error messages have no contractions", () => {
  deepStrictEqual(offenders((text) => CONTRACTION.test(text)), []);
});

Deno.test("error messages have no line breaks and no exclamation", () => {
  deepStrictEqual(offenders((text) => /[\n!]/.test(text)), []);
});

/** Specifiers of a file as they are written, in types too. */
function specifiersIn(text: string): string[] {
  const code = text.split("\n").filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line)).join("\n");
  // The templates of new projects have imports in texts.
  const withoutTexts = code.replaceAll(/`(?:\\.|[^`\\])*`/gs, "``");
  return [...withoutTexts.matchAll(/(?:^import |\} from |^\w.* from |\bimport\()"([\w@./:^~-]+)"/gm)]
    .map(([, specifier]) => specifier!);
}

Deno.test("no file that is imported by URL uses a name that only our import map knows", () => {
  const reached = new Set(
    [...Object.values(denoJson.exports), "./cli.ts"].flatMap((door) => [...reachableFrom(door.slice(2))]),
  );
  const bare = [...reached].flatMap((path) =>
    specifiersIn(SOURCES.get(path)?.text ?? "").filter((specifier) => !/^(?:\.|npm:|node:)/.test(specifier))
      .map((specifier) => `${path} imports ${specifier}`)
  );
  deepStrictEqual(bare, []);
});

Deno.test("the source and the import map of the tests name the exact version of a package", () => {
  const specifiers = [...SOURCES.values()].flatMap(({ text }) => specifiersIn(text));
  const open = [...specifiers, ...Object.values(denoJson.imports)].filter((specifier) =>
    specifier.startsWith("npm:") && !/^npm:\/?(?:@[^/]+\/)?[^@/]+@\d+\.\d+\.\d+(?:\/|$)/.test(specifier)
  );
  deepStrictEqual(open, []);
});

Deno.test("a package has one version, in the source and in the import map of the tests", () => {
  const versions = new Map<string, Set<string>>();
  const specifiers = [...SOURCES.values()].flatMap(({ text }) => specifiersIn(text));
  for (const specifier of [...specifiers, ...Object.values(denoJson.imports)]) {
    const [, name, version] = /^npm:\/?((?:@[^/]+\/)?[^@/]+)(?:@([^/]+))?/.exec(specifier) ?? [];
    if (name !== undefined) versions.set(name, (versions.get(name) ?? new Set()).add(version ?? "none"));
  }
  const unclear = [...versions].filter(([, found]) => found.size > 1 || found.has("none"));
  deepStrictEqual(unclear.map(([name, found]) => `${name}: ${[...found].join(", ")}`), []);
});
