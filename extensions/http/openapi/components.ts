/**
 * The schemas that an OpenAPI document has in one place, and references to them.
 *
 * A JSON Schema that stands by itself refers to its own root: `#`, `#/$defs/Sku`. Within a document the root is
 * another, so definitions move to `components/schemas` and references follow them. Equal definitions of one name
 * are one component; different ones of one name get a longer name.
 */
import type { Plain, PlainRecord } from "../../../runtime/message/plain.ts";

/** Keywords whose values are schemas by name: what is a keyword elsewhere is a name there. */
const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "dependentSchemas",
  "$defs",
  "definitions",
]);

/** Keywords whose values are data, however much they look like schemas. */
const DATA: ReadonlySet<string> = new Set(["const", "enum", "default", "example", "examples"]);

const PREFIX = "#/components/schemas/";

/** Collects schemas. */
export class Components {
  readonly #schemas = new Map<string, PlainRecord>();
  readonly #sources = new Map<string, string>();

  /** All of them by name. */
  get schemas(): PlainRecord {
    return Object.fromEntries(this.#schemas);
  }

  /**
   * Takes in the definitions of a schema; gives the schema as it may stand in the document.
   *
   * @param name Whose schema it is; what needs a name of its own gets it from there.
   */
  adopt(schema: PlainRecord, name: string): PlainRecord {
    const { $schema: _dialect, $id: _identity, $defs, definitions, ...root } = schema;
    const own = { ...record(definitions), ...record($defs) };
    const names = new Map(
      Object.entries(own).map(([key]) => [key, this.#reserve(key, name, closure(key, own, root))]),
    );
    let rootName: string | undefined;
    const follow = (reference: string): string => {
      const [, key, rest = ""] = /^#\/(?:\$defs|definitions)\/([^/]+)(.*)$/s.exec(reference) ?? [];
      const target = key === undefined ? undefined : names.get(unescapePointer(key));
      if (target !== undefined) return `${PREFIX}${target}${rest}`;
      if (!/^#(?:\/|$)/.test(reference)) return reference;
      rootName ??= this.#reserve(name, name, JSON.stringify(schema));
      return `${PREFIX}${rootName}${reference.slice(1)}`;
    };
    for (const [key, target] of names) this.#schemas.set(target, rewrite(record(own[key]), follow));
    const adopted = rewrite(root, follow);
    if (rootName === undefined) return adopted;
    this.#schemas.set(rootName, adopted);
    return { $ref: `${PREFIX}${rootName}` };
  }

  /** Gives a reference to a schema without definitions. */
  refer(name: string, schema: PlainRecord): PlainRecord {
    const target = this.#reserve(name, name, JSON.stringify(schema));
    this.#schemas.set(target, schema);
    return { $ref: `${PREFIX}${target}` };
  }

  /** What a schema refers to, or else the schema. */
  resolve(schema: PlainRecord): PlainRecord {
    const { $ref } = schema;
    const target = typeof $ref === "string" && this.#schemas.get($ref.slice(PREFIX.length));
    return target ? this.resolve(target) : schema;
  }

  /** A name that is free, or that has just this source. Names that libraries have made up say nothing alone. */
  #reserve(key: string, owner: string, source: string): string {
    const short = key.replaceAll(/[^\w.-]/g, "_");
    const long = `${owner.replaceAll(/[^\w.-]/g, "_")}.${short}`;
    for (let name = short.startsWith("__") ? long : short;; name = name === short ? long : `${name}_`) {
      const other = this.#sources.get(name);
      if (other !== undefined && other !== source) continue;
      this.#sources.set(name, source);
      return name;
    }
  }
}

function rewrite(schema: PlainRecord, follow: (reference: string) => string): PlainRecord {
  const visit = (value: Plain): Plain => {
    if (isList(value)) return value.map(visit);
    return typeof value === "object" && value !== null ? rewrite(value, follow) : value;
  };
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]): [string, Plain] => {
      if (key === "$ref" && typeof value === "string") return [key, follow(value)];
      if (DATA.has(key)) return [key, value];
      if (!SCHEMAS_BY_NAME.has(key)) return [key, visit(value)];
      return [
        key,
        Object.fromEntries(Object.entries(record(value)).map(([name, each]) => [name, visit(each)])),
      ];
    }),
  );
}

/** The text of a definition and of all that it refers to: equal for definitions that mean the same. */
function closure(key: string, definitions: PlainRecord, root: PlainRecord): string {
  const found = new Map<string, string>();
  const add = (key: string, schema: Plain | undefined) => {
    if (schema === undefined || found.has(key)) return;
    const text = JSON.stringify(schema);
    found.set(key, text);
    for (const [, pointer = ""] of text.matchAll(/"\$ref":"#([^"]*)"/g)) {
      const [, next] = /^\/(?:\$defs|definitions)\/([^/]+)/.exec(pointer) ?? [];
      if (next === undefined) add("#", root);
      else add(unescapePointer(next), definitions[unescapePointer(next)]);
    }
  };
  add(key, definitions[key]);
  return [...found.values()].join("\n");
}

function unescapePointer(text: string): string {
  return decodeURIComponent(text).replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Lists are read only, which `Array.isArray` alone does not know. */
function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

function record(value: Plain | undefined): PlainRecord {
  return typeof value === "object" && value !== null && !isList(value) ? value : {};
}
