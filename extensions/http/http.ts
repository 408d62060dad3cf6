import type { Duration } from "../../runtime/waiting/duration.ts";
import type { MethodLimits } from "../../runtime/service/limits/method_limits.ts";
import type { HttpErrorFacts } from "./conversion.ts";
import { entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import { type OptionNames, requireKnown } from "../../runtime/service/options/known_options.ts";
import type { SchemaOutput, StandardSchema } from "../../runtime/service/standard_schema.ts";
import { parseRule, type RuleParams } from "./routing/rule.ts";

/** An entrypoint that handles the requests for a path. */
export type HttpSpec<Args extends readonly unknown[] = readonly unknown[]> = EntrypointSpec<"http", Args>;

/** Options of {@linkcode http}. */
export interface HttpOptions extends MethodLimits {
  /**
   * Names of error classes that are the client's fault. The server answers such an error with its `status`,
   * or with 400 if it has none, and logs it at info instead of error. It answers all other errors with 500
   * and no detail.
   *
   * @default {[]}
   */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /**
   * Milliseconds until the response must begin. The wait for a thread is included. After this time the server
   * answers with 504 and aborts the signal, and a handler that does not end at once loses its thread. A
   * stream may go on for any time after it has begun.
   *
   * @default {no limit}
   */
  readonly timeout?: Duration;
  /**
   * Makes the response to an error: returns anything that a handler may return, or undefined for the default.
   * It runs in the thread, for expected errors and for all others. It does not run for an error that occurs
   * after a stream has begun.
   */
  readonly onError?: (error: unknown, facts: HttpErrorFacts) => unknown;
  /** Short summary of the route for the OpenAPI document. @default {none} */
  readonly summary?: string;
  /** Long description of the route for the OpenAPI document, which takes Markdown. @default {none} */
  readonly description?: string;
}

/**
 * Options of {@linkcode http} with schemas. A request that does not pass is answered with 422 and the issues.
 */
export interface HttpSchemas<
  Params extends StandardSchema | undefined,
  Query extends StandardSchema | undefined,
  Body extends StandardSchema | undefined,
> extends HttpOptions {
  /**
   * Schemas that check the request before the handler runs. The handler receives the values that they give.
   */
  readonly input?: { readonly params?: Params; readonly query?: Query; readonly body?: Body };
  /**
   * Checks a result that is sent as JSON or text with a status of success.
   *
   * A result that does not pass is answered with 500. A `Response`, bytes and streams are not checked.
   */
  readonly output?: StandardSchema;
}

/** @internal */
type Checked<Schema, Otherwise> = Schema extends StandardSchema ? SchemaOutput<Schema> : Otherwise;

/** The third parameter of a handler whose entrypoint checks the query or the body. */
type Input<Query, Body> =
  & (Query extends StandardSchema ? { readonly query: SchemaOutput<Query> } : unknown)
  & (Body extends StandardSchema ? { readonly body: SchemaOutput<Body> } : unknown);

type Flatten<T> = { readonly [Key in keyof T]: T[Key] };

/** @internal */
type HttpArgs<Params, Query, Body> = undefined extends Query & Body ? [request: Request, params: Params]
  : [request: Request, params: Params, input: Flatten<Input<Query, Body>>];

const OPTIONS: OptionNames<HttpSchemas<undefined, undefined, undefined>> = {
  expected: true,
  redact: true,
  timeout: true,
  onError: true,
  summary: true,
  description: true,
  input: true,
  output: true,
  concurrency: true,
  rate: true,
  priority: true,
};

/** One method of HTTP, or several as a list or as Nameko's `"GET,POST"`. */
export type HttpMethods = string | readonly string[];

/**
 * Methods of HTTP, or a sentence if the rule stands in their place.
 *
 * @internal
 */
export type MethodsBeforeRule<Method extends HttpMethods> = Method extends `/${string}`
  ? 'The method stands before the rule: http("GET", "/orders/:id")'
  : Method;

const METHOD_REGEXP = /^[A-Z]+$/;

/**
 * Declares that a method of the service handles the requests for a path.
 *
 * The handler receives the request and the variables of the rule. The body of the request has been read
 * already, and its signal aborts when the client goes away. The handler returns a `Response`, text, bytes,
 * JSON, `[status, body]`, `[status, headers, body]`, a stream or an async iterable. If it returns nothing,
 * the response is 204. An entrypoint for `GET` also handles `HEAD`.
 *
 * @param method One HTTP method, or several as a list or as Nameko's `"GET,POST"`.
 * @param rule `/orders/:id`, or Nameko's `/orders/<int:id>` with string, int, float, path, uuid and any(a,b).
 * @throws {TypeError} If the rule or a method makes no sense, or an option is not known.
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 *
 * @example
 * ```ts
 * import { http, service } from "@enoki/enoki";
 *
 * export default service("orders", {
 *   entrypoints: { show: http("GET", "/orders/<int:id>") },
 *   handlers: { show: (_context, _request, { id }) => ({ id }) },
 * });
 * ```
 */
export function http<
  const Path extends string,
  Params extends StandardSchema | undefined = undefined,
  Query extends StandardSchema | undefined = undefined,
  Body extends StandardSchema | undefined = undefined,
  const Method extends HttpMethods = HttpMethods,
>(
  method: MethodsBeforeRule<Method>,
  rule: Path,
  {
    expected,
    redact,
    timeout,
    onError,
    summary,
    description,
    input,
    output,
    concurrency,
    rate,
    priority,
    ...others
  }: HttpSchemas<
    Params,
    Query,
    Body
  > = {},
): HttpSpec<HttpArgs<Checked<Params, RuleParams<Path>>, Query, Body>> {
  requireKnown(`Cannot declare an HTTP entrypoint at "${rule}"`, "it", others, OPTIONS);
  parseRule(rule);
  const given: HttpMethods = method;
  const methods = (typeof given === "string" ? given.split(",") : given).map((each) =>
    each.trim().toUpperCase()
  );
  for (const each of methods) {
    if (!METHOD_REGEXP.test(each)) {
      throw new TypeError(`Cannot declare an HTTP entrypoint at "${rule}": "${each}" is not a method`);
    }
  }
  return entrypoint({
    kind: "http",
    streams: true,
    options: { methods: [...new Set(methods)], rule },
    expected,
    redact,
    timeout,
    concurrency,
    rate,
    priority,
    overLimit: "refuse",
    // Every thread loads this module, and few serve HTTP: so the rest loads where a service is prepared or described.
    prepare: async () => (await import("./conversion.ts")).httpConversion(input, output, onError),
    async describe() {
      const { routeDetails } = await import("./openapi/details.ts");
      return routeDetails({ summary, description, input, output, expected, onError });
    },
  });
}
