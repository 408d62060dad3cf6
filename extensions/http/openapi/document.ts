/**
 * Describes the HTTP entrypoints of services as an OpenAPI 3.1 document.
 *
 * The document is made from manifests, so it needs no code of a service. OpenAPI distinguishes paths only by
 * their fixed text: rules that differ only in the names or converters of their variables are one path there.
 * Such rules share one path, which has the names of the first rule. Where two of them have the same method,
 * the document leaves out the second rule.
 */
import type { Manifest, ManifestEntrypoint } from "../../../runtime/service/manifest.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { Components } from "../../../runtime/service/described/components.ts";
import type { RouteDetails } from "./details.ts";
import { errorResponses } from "./errors.ts";
import { pathParameters, queryParameters, variablesOf } from "./parameters.ts";
import { parseRule, type Rule } from "../routing/rule.ts";

/** Options of {@linkcode openApiDocument}. */
export interface OpenApiOptions {
  /** Title of the document. @default {names of the services} */
  readonly title?: string | undefined;
  /** Version of the services that the document describes. @default {"0.0.0"} */
  readonly version?: string | undefined;
  /** URLs of the services. @default {none: clients use the place where they found the document} */
  readonly servers?: readonly string[] | undefined;
  /** Called with a sentence about each route that OpenAPI has no place for. */
  readonly onOmission?: (message: string) => void;
}

/**
 * Methods that the document does not mention. Every rule for `GET` also answers `HEAD`, and every path
 * answers `OPTIONS`, so nobody needs to read this about each route.
 */
const IMPLIED: ReadonlySet<string> = new Set(["HEAD", "OPTIONS"]);

const METHODS: ReadonlySet<string> = new Set(["GET", "PUT", "POST", "DELETE", "PATCH", "TRACE"]);

const TAKING_BODIES: ReadonlySet<string> = new Set(["PUT", "POST", "PATCH"]);

const NO_DETAILS: PlainRecord = { expected: [], formatsErrors: false };

/** A path of the document, with the names that its variables have there. */
interface Path {
  readonly template: string;
  readonly names: readonly string[];
  /** Ids of the operations by method. */
  readonly operations: Map<string, string>;
  readonly item: Record<string, PlainRecord>;
}

/**
 * Makes the document from manifests, which should include the details of the entrypoints.
 *
 * @throws {TypeError} If a rule makes no sense.
 */
export function openApiDocument(
  manifests: readonly Manifest[],
  { title, version = "0.0.0", servers = [], onOmission = () => {} }: OpenApiOptions = {},
): PlainRecord {
  const services = manifests.filter(({ entrypoints }) => entrypoints.some(isRoute));
  const tags = [...new Set(services.map(({ name }) => name))];
  const routes = new Routes(onOmission);
  for (const { name, entrypoints } of services) {
    for (const entry of entrypoints.filter(isRoute)) routes.add(name, entry);
  }
  return {
    openapi: "3.1.0",
    info: { title: title ?? (tags.join(", ") || "No HTTP entrypoints"), version },
    ...(servers.length > 0 && { servers: servers.map((url) => ({ url })) }),
    ...(tags.length > 0 && { tags: tags.map((name) => ({ name })) }),
    paths: routes.paths,
    components: { schemas: routes.schemas },
  };
}

function isRoute({ kind }: ManifestEntrypoint): boolean {
  return kind === "http";
}

/** Collects operations by path and method. */
class Routes {
  readonly #onOmission: (message: string) => void;
  readonly #components = new Components();
  readonly #paths = new Map<string, Path>();
  /** Number of operations that each handler has. */
  readonly #counts = new Map<string, number>();

  constructor(onOmission: (message: string) => void) {
    this.#onOmission = onOmission;
  }

  get paths(): PlainRecord {
    const used = [...this.#paths.values()].filter(({ operations }) => operations.size > 0);
    return Object.fromEntries(used.map(({ template, item }) => [template, item]));
  }

  get schemas(): PlainRecord {
    return this.#components.schemas;
  }

  add(service: string, entry: ManifestEntrypoint): void {
    const handler = `${service}.${entry.method}`;
    const rule = parseRule(String(entry.options["rule"]));
    const path = this.#pathOf(rule);
    for (const method of entry.options["methods"] as readonly string[]) {
      if (IMPLIED.has(method)) continue;
      const reason = METHODS.has(method) ? otherOperation(path, method) : "OpenAPI has no such method";
      if (reason !== undefined) {
        this.#onOmission(
          `Left ${method} ${rule.source} of ${handler} out of the OpenAPI document: ${reason}`,
        );
        continue;
      }
      const number = (this.#counts.get(handler) ?? 0) + 1;
      this.#counts.set(handler, number);
      const operationId = number === 1 ? handler : `${handler}.${number}`;
      path.operations.set(method, operationId);
      path.item[method.toLowerCase()] = {
        operationId,
        tags: [service],
        ...operation(entry, method, rule, path.names, operationId, this.#components),
      };
    }
  }

  /** Returns the path for a rule. Another rule may have made this path already. */
  #pathOf(rule: Rule): Path {
    const parts = rule.segments.flatMap((segment) => ["/", ...segment]);
    const end = rule.folder || parts.length === 0 ? "/" : "";
    const text = (nameOf: (name: string) => string) =>
      parts.map((part) => typeof part === "string" ? part : `{${nameOf(part.name)}}`).join("") + end;
    const shape = text(() => "");
    const path = this.#paths.get(shape) ?? {
      template: text((name) => name),
      names: variablesOf(rule).map(({ name }) => name),
      operations: new Map(),
      item: {},
    };
    this.#paths.set(shape, path);
    return path;
  }
}

function otherOperation({ template, operations }: Path, method: string): string | undefined {
  const other = operations.get(method);
  return other && `OpenAPI cannot distinguish it from ${method} ${template} of ${other}`;
}

function operation(
  { details = NO_DETAILS, options }: ManifestEntrypoint,
  method: string,
  rule: Rule,
  names: readonly string[],
  operationId: string,
  components: Components,
): PlainRecord {
  const { summary, description, params, query, body, output, ...errors } = details as
    & PlainRecord
    & RouteDetails;
  const adopt = (schema: PlainRecord | undefined, part: string) =>
    schema && components.adopt(schema, `${operationId}.${part}`);
  const parameters = [
    ...pathParameters(rule, names, adopt(params, "params"), components),
    ...queryParameters(adopt(query, "query"), components),
  ];
  const [request, result] = [adopt(body, "body"), adopt(output, "output")];
  const isChecked = [params, query, body].some((schema) => schema !== undefined);
  return {
    ...(summary !== undefined && { summary }),
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(request && { requestBody: { required: true, content: content(request, components) } }),
    responses: {
      200: { description: "Success", ...(result && { content: content(result, components) }) },
      ...errorResponses({
        ...errors,
        isChecked,
        hasBody: body !== undefined,
        takesBody: TAKING_BODIES.has(method),
        isTimed: options["timeout"] !== undefined,
      }, components),
    },
  };
}

/** Describes a body. Requests and responses both carry text as text, and all else as JSON. */
function content(schema: PlainRecord, components: Components): PlainRecord {
  const isText = components.resolve(schema)["type"] === "string";
  return { [isText ? "text/plain" : "application/json"]: { schema } };
}
