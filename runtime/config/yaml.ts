/**
 * Turns YAML into plain data and back, as Nameko reads and prints it.
 *
 * The YAML library only finds the structure. Every scalar reaches this file as text with its style and tag,
 * and {@linkcode resolvePlainScalar} decides its meaning. So only one place decides how PyYAML sees a value.
 * As in Nameko, a scalar with references goes through that place again after the expansion of its references:
 * this file parses `!env_var` (and each plain scalar that contains `${…}`) a second time, and `!raw_env_var`
 * stays text.
 *
 * Keys are always text. This file refuses a mapping that has a key twice, because one of the two values would
 * be lost.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Pair,
  parseDocument,
  Scalar,
  type ScalarTag,
  stringify,
  YAMLMap,
  YAMLSeq,
} from "npm:yaml@2.9.1";
import { type Place, recordPlaces } from "./place.ts";
import { type ConfigScalar, resolvePlainScalar } from "./scalar.ts";
import {
  type Environment,
  expandReferences,
  type LookupBudget,
  lookupBudget,
  mayHoldReference,
} from "./references.ts";
import { ConfigurationError } from "../message/errors.ts";
import { maskTextSecrets } from "../log/secrets.ts";

/** Plain data: all values that JSON carries, and also `NaN` and infinities. */
export type ConfigValue = ConfigScalar | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };

/** Options of {@linkcode parseConfigYaml}. */
export interface ParseConfigYamlOptions {
  /** The failed action that error messages begin with, such as `Cannot read config file "x.yaml"`. */
  readonly action: string;
  /** Source of the variables in `${NAME}`. */
  readonly env: Environment;
  /** Name of the file. If it is set, messages can say in which line of the file a key stands. */
  readonly file?: string;
  /** Called for each `${NAME}` without a default whose variable is not set. */
  readonly onUnset?: (reference: UnsetReference) => void;
}

/** A `${NAME}` that stands for nothing. */
export interface UnsetReference {
  readonly name: string;
  /** Keys that lead to the value, from the top level on; empty if the whole document is one value. */
  readonly path: readonly string[];
  /** Such as `line 7, column 3`. */
  readonly place: string;
}

interface Reading extends ParseConfigYamlOptions {
  readonly text: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  /** Values of the converted nodes. A node that is still being converted has `undefined`. */
  readonly converted: Map<Node, ConfigValue | undefined>;
  /** Keys that lead to the node that is being converted. */
  readonly path: string[];
  /** How many values the converted nodes are, aliases written out. */
  readonly sizes: Map<Node, number>;
  /** How many values there are so far, aliases written out. */
  count: number;
  /** Set for expanded text: the place of its references, the rest of their budget, and how deep they nest. */
  readonly reference?: {
    readonly place: string;
    readonly budget: LookupBudget;
    readonly depth: number;
  };
}

const HINT = "Put quotes around a value with special characters in it";
const TAB_HINT = "Indent with spaces";
const REFERENCE_HINT =
  `Check the value of the variable, or write !raw_env_var "\${NAME}" to take the value as text`;
// deno-lint-ignore no-control-regex -- a plain or block scalar cannot hold these, the tab included
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;
const REPARSE_DEPTH = 32;
/** Most values that a text may hold with its aliases written out: a few lines of aliases can stand for billions. */
const MOST_VALUES = 1_000_000;
const CORE_TAG = "tag:yaml.org,2002:";
const TYPE_OF_TAG: Readonly<Record<string, (value: ConfigScalar) => boolean>> = {
  null: (value) => value === null,
  bool: (value) => typeof value === "boolean",
  int: Number.isInteger,
  float: (value) => typeof value === "number",
  timestamp: (value) => typeof value === "string",
};

/**
 * Parses one YAML document. An empty document is null.
 *
 * @throws {ConfigurationError} With line and column, if the text is not YAML, or if a configuration cannot
 * hold it.
 */
export function parseConfigYaml(text: string, options: ParseConfigYamlOptions): ConfigValue {
  return convert(read(text, options), undefined);
}

/** Prints plain data as block-style YAML with sorted keys, so that it reads back as the same data. */
export function formatConfigYaml(value: ConfigValue): string {
  return stringify(nodeOf(value), {
    version: "1.1",
    indentSeq: false,
    lineWidth: 0,
    nullStr: "null",
    customTags: (tags) => [EXPONENT, ...tags],
  });
}

/** Prints `1e+21` with a point, because YAML 1.1 takes a number with an exponent but no point for text. */
const EXPONENT: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  test: /^-?\d+e[-+]\d+$/,
  identify: (value) => typeof value === "number" && /^-?\d+e/.test(String(value)),
  resolve: Number,
  stringify: ({ value }) => String(value).replace("e", ".0e"),
};

function read(
  text: string,
  options: ParseConfigYamlOptions & Pick<Reading, "reference"> & Partial<Pick<Reading, "path">>,
): Reading {
  const lines = new LineCounter();
  text = text.replace(/^\uFEFF/, "");
  const document = parseDocument(text, {
    schema: "failsafe",
    version: "1.1",
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const reading = {
    path: [],
    ...options,
    text,
    document,
    lines,
    converted: new Map(),
    sizes: new Map(),
    count: 0,
  };
  const problem = document.errors[0];
  if (problem !== undefined) {
    fail(reading, problem.pos[0], problem.message, problem.code === "TAB_AS_INDENT" ? TAB_HINT : HINT);
  }
  return reading;
}

function fail(reading: Reading, offset: number, problem: string, hint: string = HINT): never {
  const { action, lines, reference } = reading;
  if (reference !== undefined) {
    const state = "with its variables filled in, the value is not usable YAML";
    throw new ConfigurationError(`${action}, ${reference.place}: ${state}. ${REFERENCE_HINT}`);
  }
  const { line, col } = lines.linePos(offset);
  throw new ConfigurationError(
    `${action}, line ${line}, column ${col}: ${maskTextSecrets(problem.trim())}. ${hint}`,
  );
}

function convert(reading: Reading, node: Node | null | undefined): ConfigValue {
  if (node === undefined) node = reading.document.contents;
  if (node === null) return null;
  const { converted } = reading;
  if (isAlias(node)) {
    const target = resolveAlias(reading, node);
    const value = converted.get(target);
    if (value === undefined) {
      fail(
        reading,
        offsetOf(node),
        `*${node.source} stands inside the value that it names`,
        "Repeat the value in place of the alias",
      );
    }
    count(reading, node, reading.sizes.get(target)!);
    return value;
  }
  converted.set(node, undefined);
  const before = reading.count;
  count(reading, node, 1);
  const value = isScalar(node) ? convertScalar(reading, node as Scalar) : convertCollection(reading, node);
  converted.set(node, value);
  reading.sizes.set(node, reading.count - before);
  return value;
}

function count(reading: Reading, node: Node, values: number): void {
  reading.count += values;
  if (reading.count > MOST_VALUES) {
    fail(
      reading,
      offsetOf(node),
      `with its aliases it has more than ${MOST_VALUES} values`,
      "Use fewer aliases",
    );
  }
}

function resolveAlias(reading: Reading, alias: Alias): Node {
  const target = alias.resolve(reading.document);
  if (target === undefined) {
    fail(reading, offsetOf(alias), `no anchor &${alias.source} stands before *${alias.source}`);
  }
  return target;
}

function convertCollection(reading: Reading, node: Node): ConfigValue {
  const expected = isMap(node) ? `${CORE_TAG}map` : `${CORE_TAG}seq`;
  if (node.tag !== undefined && node.tag !== expected && node.tag !== "!") refuseTag(reading, node);
  if (isMap(node)) return convertMapping(reading, node as YAMLMap<Node, Node | null>);
  return isSeq(node) ? node.items.map((item) => convert(reading, item as Node | null)) : null;
}

function convertMapping(reading: Reading, node: YAMLMap<Node, Node | null>): ConfigValue {
  const merged = new Map<string, ConfigValue>();
  const own = new Map<string, ConfigValue>();
  const places = new Map<string, Place>();
  for (const pair of node.items) {
    if (isMergeKey(pair.key)) {
      for (const [key, value] of mergeEntries(reading, pair)) merged.set(key, value);
      continue;
    }
    const key = keyText(reading, pair.key);
    if (own.has(key)) {
      fail(reading, offsetOf(pair.key), `the key "${key}" is in this mapping twice`, "Remove one of the two");
    }
    reading.path.push(key);
    own.set(key, convert(reading, pair.value ?? null));
    reading.path.pop();
    const { line } = reading.lines.linePos(offsetOf(pair.key));
    if (reading.file !== undefined) places.set(key, { file: reading.file, line });
  }
  const mapping = Object.fromEntries([...merged, ...own]);
  if (reading.file !== undefined) recordPlaces(mapping, places);
  return mapping;
}

function isMergeKey(key: Node | null): boolean {
  return isScalar(key) && key.type === "PLAIN" && key.tag === undefined && key.value === "<<";
}

/** Returns the entries that `<<` brings in. The last entry of a key wins, so the first mapping comes last. */
function mergeEntries(reading: Reading, { key, value }: Pair<Node, Node | null>): [string, ConfigValue][] {
  const source = convert(reading, value ?? null);
  const mappings = Array.isArray(source) ? source.toReversed() : [source];
  return mappings.flatMap((mapping: ConfigValue) => {
    if (typeof mapping === "object" && mapping !== null && !Array.isArray(mapping)) {
      return Object.entries(mapping);
    }
    fail(
      reading,
      offsetOf(key),
      "<< can merge a mapping or a list of mappings only",
      "Name one with an alias",
    );
  });
}

function keyText(reading: Reading, key: Node | null): string {
  if (key === null) return "";
  const node = isAlias(key) ? resolveAlias(reading, key) : key;
  if (!isScalar(node)) fail(reading, offsetOf(key), "a key must be text, not a list or a mapping");
  const scalar = node as Scalar;
  const expansion = expand(reading, scalar);
  if (expansion === undefined) return textOf(reading, scalar);
  if (expansion.raw) return expansion.text;
  const again = reparse(reading, scalar, expansion);
  return keyText(again, again.document.contents);
}

function convertScalar(reading: Reading, node: Scalar): ConfigValue {
  const expansion = expand(reading, node);
  if (expansion !== undefined) {
    return expansion.raw ? expansion.text : convert(reparse(reading, node, expansion), undefined);
  }
  const text = textOf(reading, node);
  if (isPlain(node)) {
    refuseTab(reading, node);
    return mayHoldReference(text) ? text : resolvePlainScalar(text);
  }
  const tag = node.tag?.startsWith(CORE_TAG) ? node.tag.slice(CORE_TAG.length) : node.tag;
  if (tag === undefined || tag === "str" || tag === "!env_var" || tag === "!raw_env_var") return text;
  if (!Object.hasOwn(TYPE_OF_TAG, tag)) refuseTag(reading, node);
  const value = resolvePlainScalar(text);
  if (!TYPE_OF_TAG[tag]!(value)) fail(reading, offsetOf(node), `the value is not what its tag !!${tag} says`);
  return value;
}

interface Expansion {
  readonly text: string;
  /** Whether the text is the value itself, and not YAML that needs parsing. */
  readonly raw: boolean;
  readonly budget: LookupBudget;
}

/** Replaces the references in a scalar. Returns undefined if the scalar has none that count. */
function expand(reading: Reading, node: Scalar): Expansion | undefined {
  const text = textOf(reading, node);
  const raw = node.tag === "!raw_env_var";
  if (!raw && node.tag !== "!env_var" && !(isPlain(node) && mayHoldReference(text))) return undefined;
  const budget = reading.reference?.budget ?? lookupBudget();
  let expanded: string;
  try {
    expanded = expandReferences(text, reading.env, budget);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(`${reading.action}, ${placeOf(reading, node)}: ${error.message}`);
  }
  for (const name of budget.unset) {
    reading.onUnset?.({ name, path: [...reading.path], place: placeOf(reading, node) });
  }
  budget.unset.clear();
  return expanded === text ? undefined : { text: expanded, raw, budget };
}

function reparse(reading: Reading, node: Scalar, { text, budget }: Expansion): Reading {
  const { action, env, path, onUnset } = reading;
  const place = placeOf(reading, node);
  const depth = (reading.reference?.depth ?? 0) + 1;
  if (depth > REPARSE_DEPTH) {
    throw new ConfigurationError(
      `${action}, ${place}: a variable refers to itself, directly or through others`,
    );
  }
  return read(text, { action, env, path, ...(onUnset && { onUnset }), reference: { place, budget, depth } });
}

function placeOf({ lines, reference }: Reading, node: Node): string {
  if (reference !== undefined) return reference.place;
  const { line, col } = lines.linePos(offsetOf(node));
  return `line ${line}, column ${col}`;
}

function isPlain({ type, tag }: Scalar): boolean {
  return (type === "PLAIN" && tag === undefined) || tag === "!";
}

function textOf({ text }: Reading, { value, range, type }: Scalar): string {
  const content = String(value ?? "");
  // A block that the end of the file cuts off has no final line break to keep.
  const cut = type?.startsWith("BLOCK") && range?.[1] === text.length && !text.endsWith("\n");
  return cut ? content.replace(/\n$/, "") : content;
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

function refuseTab(reading: Reading, node: Scalar): void {
  const next = reading.text[node.range?.[1] ?? 0];
  if (node.source?.includes("\t") || (next === "\t" && reading.reference !== undefined)) {
    fail(reading, offsetOf(node), "a value that contains a tab has no quotes");
  }
}

function refuseTag(reading: Reading, node: Node): never {
  const tag = node.tag!.startsWith(CORE_TAG) ? `!!${node.tag!.slice(CORE_TAG.length)}` : node.tag!;
  fail(reading, offsetOf(node), `the tag ${tag} is not known for this kind of value`, "Remove it");
}

/** Makes the nodes to print. It sorts keys, and quotes each text that would read back as something else. */
function nodeOf(value: ConfigValue): Scalar | YAMLMap | YAMLSeq {
  if (Array.isArray(value)) {
    const sequence = new YAMLSeq();
    sequence.items = value.map(nodeOf);
    return sequence;
  }
  if (typeof value === "object" && value !== null) {
    const mapping = new YAMLMap();
    mapping.items = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) =>
      new Pair(nodeOf(key), nodeOf(item))
    );
    return mapping;
  }
  const scalar = new Scalar(value);
  if (typeof value === "string") {
    if (CONTROL.test(value)) scalar.type = "QUOTE_DOUBLE";
    else if (mayHoldReference(value) || resolvePlainScalar(value) !== value) scalar.type = "QUOTE_SINGLE";
  }
  return scalar;
}
