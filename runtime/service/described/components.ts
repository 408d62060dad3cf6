/**
 * Collects the schemas that a document keeps in one place, and makes the references to them.
 *
 * A JSON Schema that stands alone refers to its own root: `#`, `#/$defs/Sku`. In a document, the root is that
 * of the document. So definitions move to one place, such as `components/schemas`, and references follow them. Equal definitions
 * with the same name are one component. Where definitions with the same name differ, the later ones get a
 * longer name.
 */
import type { Plain, PlainRecord } from "../../message/plain.ts";

/** Keywords whose values hold schemas by name. A word that is a keyword elsewhere is only a name there. */
const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "dependentSchemas",
  "$defs",
  "definitions",
]);

/** Keywords whose values are data, even if they look like schemas. */
const DATA: ReadonlySet<string> = new Set(["const", "enum", "default", "example", "examples"]);

/** Where documents of OpenAPI and of AsyncAPI keep their schemas. */
const DOCUMENT_PLACE = "#/components/schemas/";

/** Collects schemas. */
export class Components {
  readonly #place: string;
  readonly #schemas = new Map<string, PlainRecord>();
  readonly #sources = new Map<string, string>();

  /** @param place What references to the schemas begin with. @default {"#/components/schemas/"} */
  constructor(place: string = DOCUMENT_PLACE) {
    this.#place = place;
  }

  /** All schemas by name. */
  get schemas(): PlainRecord {
    return Object.fromEntries(this.#schemas);
  }

  /**
   * Takes in the definitions of a schema, and returns the schema in a form that may stand in the document.
   *
   * @param name Name of the schema's owner. Components that need a name of their own get it from this name.
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
      if (target !== undefined) return `${this.#place}${target}${rest}`;
      if (!/^#(?:\/|$)/.test(reference)) return reference;
      rootName ??= this.#reserve(name, name, JSON.stringify(schema));
      return `${this.#place}${rootName}${reference.slice(1)}`;
    };
    for (const [key, target] of names) this.#schemas.set(target, rewrite(record(own[key]), follow));
    const adopted = rewrite(root, follow);
    if (rootName === undefined) return adopted;
    this.#schemas.set(rootName, adopted);
    return { $ref: `${this.#place}${rootName}` };
  }

  /** Takes in a schema without definitions, and returns a reference to it. */
  refer(name: string, schema: PlainRecord): PlainRecord {
    const target = this.#reserve(name, name, JSON.stringify(schema));
    this.#schemas.set(target, schema);
    return { $ref: `${this.#place}${target}` };
  }

  /** Returns the schema that a schema refers to, or the schema itself if it is not a reference. */
  resolve(schema: PlainRecord): PlainRecord {
    const { $ref } = schema;
    const target = typeof $ref === "string" && this.#schemas.get($ref.slice(this.#place.length));
    return target ? this.resolve(target) : schema;
  }

  /**
   * Reserves a name that is free, or that an equal source has already. A name that a library has made up says
   * nothing alone, so the owner's name stands before it.
   */
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

/**
 * Returns the text of a definition and of all definitions that it refers to. The text is equal for
 * definitions that mean the same.
 */
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

/** Tells whether a value is a list. `Array.isArray` alone does not know that lists are read-only. */
function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

function record(value: Plain | undefined): PlainRecord {
  return typeof value === "object" && value !== null && !isList(value) ? value : {};
}
