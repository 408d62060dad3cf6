/**
 * Writes the module of a contract: the source in TypeScript from which a client of a service has its types, where
 * nobody has the source of the service itself.
 *
 * Equal services give equal bytes: the order is that of the manifest, and nothing tells when or by which version the
 * module was made. Its layout stays the same whatever the project's rules for layout are, so it asks formatters and
 * linters to leave it alone.
 */
import { Components } from "../../runtime/service/described/components.ts";
import type { MethodDetails } from "../../runtime/service/described/method_details.ts";
import { isRecord, type Plain, type PlainRecord } from "../../runtime/message/plain.ts";
import { docComment } from "./comment.ts";
import { declareTypes, type MadeType, SCHEMA_PLACE } from "./type_declarations.ts";
import { methodSource } from "./method_source.ts";
import { keyName, TypeNames, valueName } from "./type_names.ts";

/** What a contract is made of: the manifest of a service, with the details of its entrypoints. */
export interface DescribedService {
  /** Name of the service. */
  readonly name: string;
  /** The entrypoints, of which those of RPC become methods of the contract. */
  readonly entrypoints: readonly {
    readonly method: string;
    readonly kind: string;
    /** What the entrypoint says of itself. Without it, its method takes and gives `unknown`. */
    readonly details?: Readonly<Record<string, unknown>>;
  }[];
  /** What it depends on, of which dispatchers of events with schemas belong to the contract. @default {[]} */
  readonly dependencies?: readonly {
    readonly key: string;
    readonly kind?: string | undefined;
    readonly details?: Readonly<Record<string, unknown>>;
  }[];
}

/** Options of {@linkcode contractModule}. */
export interface ContractModuleOptions {
  /** What the module imports Enoki by. @default {"@enoki/enoki"} */
  readonly from?: string;
}

/** What a generated module begins with. Nothing else is overwritten without a word. */
export const GENERATED_MARK = "// Enoki has generated this contract of the service ";

/** A part of a method that has a schema: an argument or the result. */
interface Part {
  readonly name: string;
  readonly schema: PlainRecord;
}

/**
 * Writes the module of a service's contract.
 *
 * Descriptions become comments. Methods without schemas take and give `unknown`, with the names of their parameters.
 * The contract has the methods that can be called; other entrypoints are the service's own affair.
 *
 * @returns The source, the same for the same service.
 * @throws {TypeError} If the service has no method that could be called.
 *
 * @example
 * ```ts
 * import { contractModule } from "@enoki/enoki/contracts";
 *
 * const source = await contractModule({ name: "greeting", entrypoints: [{ method: "hello", kind: "rpc" }] });
 * ```
 */
export async function contractModule(
  { name, entrypoints, dependencies = [] }: DescribedService,
  { from = "@enoki/enoki" }: ContractModuleOptions = {},
): Promise<string> {
  const methods = entrypoints.filter(({ kind }) => kind === "rpc")
    .map(({ method, details }) => ({ method, details: readDetails(details) }));
  const dispatchers = dependencies.flatMap(({ key, kind, details }) => {
    const events = kind === "dispatcher" ? details?.["events"] : undefined;
    return isRecord(events) ? [{ key, events: readEvents(events) }] : [];
  });
  if (methods.length === 0 && dispatchers.length === 0) {
    throw new TypeError(`Cannot write the contract of "${name}": it has no method that could be called`);
  }
  const types = await typesOf(methods, dispatchers);
  const entries = methods.map(({ method, details }) =>
    methodSource(keyName(method), details, {
      input: (index) => types.expressionOf(partName(method, index)),
      output: types.expressionOf(partName(method, "result")),
    })
  );
  const value = valueName(name);
  const imports = [
    "contract",
    ...(dispatchers.length > 0 ? ["dispatcher"] : []),
    ...(methods.length > 0 ? ["rpc"] : []),
  ];
  const offered = dispatchers.map(({ key, events }) => dispatcherSource(key, Object.keys(events), types));
  return [
    `${GENERATED_MARK}${JSON.stringify(name)}. Do not edit it: enoki client writes it anew.\n` +
    ["fmt", "lint"].map((tool) => `// deno-${tool}-ignore-file -- it is generated\n`).join("") +
    `import { ${imports.join(", ")} } from ${JSON.stringify(from)};\n`,
    ...types.declarations,
    `${
      docComment([`The contract of the service \`${name.replaceAll("`", "'")}\`, for \`client(${value})\`.`])
    }` +
    `export const ${value} = contract(${JSON.stringify(name)}, {${entries.length === 0 ? "" : "\n"}${
      entries.join("")
    }}${offered.length === 0 ? "" : `, {\n${offered.join("")}}`});\n\n` +
    `export default ${value};\n`,
  ].join("\n");
}

/** Reads the schemas of events, and leaves out what is none. */
function readEvents(events: Readonly<Record<string, unknown>>): Readonly<Record<string, PlainRecord>> {
  return Object.fromEntries(
    Object.entries(events).flatMap(([type, schema]) =>
      isRecord(schema) ? [[type, schema as PlainRecord]] : []
    ),
  );
}

/** Writes a dispatcher of a contract, with the types of its events. */
function dispatcherSource(key: string, events: readonly string[], types: ModuleTypes): string {
  const members = events.map((type) =>
    `    ${keyName(type)}: ${types.expressionOf(partName(key, `event ${type}`)) ?? "unknown"};\n`
  );
  return `  ${keyName(key)}: dispatcher<{\n${members.join("")}  }>(),\n`;
}

/** Reads what a process says of a method, and leaves out what makes no sense. */
function readDetails(details: Readonly<Record<string, unknown>> = {}): MethodDetails {
  const { description, parameters, input, output, expected } = details;
  return {
    ...(typeof description === "string" && { description }),
    ...(Array.isArray(parameters) && parameters.every((each) => isRecord(each)) && {
      parameters: parameters as unknown as NonNullable<MethodDetails["parameters"]>,
    }),
    ...(Array.isArray(input) && { input: input.map((each) => isRecord(each) ? each as PlainRecord : {}) }),
    ...(isRecord(output) && { output: output as PlainRecord }),
    ...(Array.isArray(expected) && { expected: expected.filter((each) => typeof each === "string") }),
  };
}

function partName(method: string, part: number | string): string {
  return `${method}\n${part}`;
}

/** The types of all methods. */
interface ModuleTypes {
  /** The declarations that the module needs, each with its comment. */
  readonly declarations: readonly string[];
  /** Returns what stands for the type of a part; undefined if it has no schema. */
  expressionOf(part: string): string | undefined;
}

async function typesOf(
  methods: readonly { readonly method: string; readonly details: MethodDetails }[],
  dispatchers: readonly { readonly key: string; readonly events: Readonly<Record<string, PlainRecord>> }[],
): Promise<ModuleTypes> {
  const components = new Components(SCHEMA_PLACE);
  const parts = new Map<string, Part>();
  for (const { method, details: { input = [], output, parameters } } of methods) {
    const add = (place: number | "result", name: string, schema: PlainRecord) =>
      parts.set(partName(method, place), { name, schema: components.adopt(schema, name) });
    for (const [index, schema] of input.entries()) {
      add(
        index,
        nameOfPart(schema, `${method}.${parameters?.[index]?.name ?? `argument${index + 1}`}`),
        schema,
      );
    }
    if (output !== undefined) add("result", nameOfPart(output, `${method}.result`), output);
  }
  for (const { key, events } of dispatchers) {
    for (const [type, schema] of Object.entries(events)) {
      const name = nameOfPart(schema, `${type}.event`);
      parts.set(partName(key, `event ${type}`), { name, schema: components.adopt(schema, name) });
    }
  }
  const names = new TypeNames();
  const schemas: Record<string, PlainRecord> = {};
  const renamed = new Map<string, string>();
  for (const key of Object.keys(components.schemas)) renamed.set(SCHEMA_PLACE + key, names.reserve(key));
  for (const [key, schema] of Object.entries(components.schemas)) {
    schemas[renamed.get(SCHEMA_PLACE + key)!] = follow(schema as PlainRecord, renamed) as PlainRecord;
  }
  const own = new Map<string, string>();
  const typeOf = new Map<string, string>();
  for (const [part, { name, schema }] of parts) {
    const renamedTo = typeof schema["$ref"] === "string" ? renamed.get(schema["$ref"]) : undefined;
    if (renamedTo !== undefined) {
      typeOf.set(part, renamedTo);
      continue;
    }
    const followed = follow(schema, renamed) as PlainRecord;
    const text = JSON.stringify([name, followed]);
    const type = own.get(text) ?? names.reserve(name);
    own.set(text, type);
    schemas[type] = followed;
    typeOf.set(part, type);
  }
  const made = await declareTypes(schemas);
  const inline = new Map([...own.values()].flatMap((type) => inlineEntry(type, made.get(type))));
  return {
    declarations: [...made].filter(([type]) => !inline.has(type)).map(([, { comment, text }]) =>
      `${comment}${text}\n`
    ),
    expressionOf(part) {
      const type = typeOf.get(part);
      return type === undefined ? undefined : inline.get(type) ?? type;
    },
  };
}

/** The name of a schema, if it has one, else that of its place. */
function nameOfPart({ id, title }: PlainRecord, place: string): string {
  return [id, title].find((name) => typeof name === "string" && /^[A-Z]\w*$/.test(name)) as string ?? place;
}

/** Lets references lead to schemas by other names. */
function follow(schema: Plain, names: ReadonlyMap<string, string>): Plain {
  if (Array.isArray(schema)) return schema.map((each) => follow(each, names));
  if (!isRecord(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema as PlainRecord).map(([key, value]) => {
      const name = key === "$ref" && typeof value === "string" ? names.get(value) : undefined;
      return [key, name === undefined ? follow(value, names) : SCHEMA_PLACE + name];
    }),
  );
}

/** A short type that needs no name: it stands where it is used. */
function inlineEntry(type: string, made: MadeType | undefined): readonly (readonly [string, string])[] {
  if (made === undefined) return [[type, "unknown"]];
  const { alias } = made;
  return alias === undefined || alias.includes("\n") || alias.length > MOST_INLINE ? [] : [[type, alias]];
}

/** Characters of a type without a name. */
const MOST_INLINE = 40;
