import { type Conversion, entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import type { SchemaOutput, StandardSchema } from "../../runtime/service/standard_schema.ts";
import { errorReply } from "./response/error_reply.ts";
import { routeDetails } from "./openapi/details.ts";
import { headOf, toRequest } from "./request/request.ts";
import { encodeResult, mapBody } from "./response/result.ts";
import { parseRule, type RuleParams } from "./routing/rule.ts";
import { checkRequest, checkResult, type RequestSchemas } from "./validation.ts";

/** An entrypoint that a path leads to. */
export type HttpSpec<Args extends readonly unknown[] = readonly unknown[]> = EntrypointSpec<"http", Args>;

/** What {@linkcode HttpOptions.onError} is told beside the error. */
export interface HttpErrorFacts {
  /** A fresh one: its body can be read, whatever the handler has read. */
  readonly request: Request;
  /** Whether it is the client's fault: named in `expected`, or found before the handler ran. */
  readonly expected: boolean;
}

/** Options of {@linkcode http}. */
export interface HttpOptions {
  /**
   * Names of error classes that are the client's fault; answered with their `status`, or else 400, and logged at
   * info instead of error. All others are answered with 500 and no detail.
   *
   * @default {[]}
   */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /**
   * Milliseconds until the response must begin, the wait for a thread included. Then it is 504, the signal is
   * aborted, and a handler that does not end at once loses its thread. A stream may go on for as long as it likes
   * once it has begun.
   *
   * @default {no limit}
   */
  readonly timeout?: number;
  /**
   * Answers errors in its own way: returns anything that a handler may return, or undefined for the default.
   * It runs in the thread, for expected errors and all others, and not once a stream has begun.
   */
  readonly onError?: (error: unknown, facts: HttpErrorFacts) => unknown;
  /** What the route does in a few words, for its OpenAPI document. @default {none} */
  readonly summary?: string;
  /** What the route does at length, for its OpenAPI document, which takes Markdown. @default {none} */
  readonly description?: string;
}

/** Options of {@linkcode http} with schemas; what does not pass is answered with 422 and the issues. */
export interface HttpSchemas<
  Params extends StandardSchema | undefined,
  Query extends StandardSchema | undefined,
  Body extends StandardSchema | undefined,
> extends HttpOptions {
  /** Checked before the handler, which receives what they give. */
  readonly input?: { readonly params?: Params; readonly query?: Query; readonly body?: Body };
  /**
   * Checks what is sent as JSON or text with a status of success; what does not pass is answered with 500.
   *
   * A `Response`, bytes and streams go unchecked.
   */
  readonly output?: StandardSchema;
}

type Checked<Schema, Otherwise> = Schema extends StandardSchema ? SchemaOutput<Schema> : Otherwise;

/** The third parameter of a handler whose entrypoint checks query or body. */
type Input<Query, Body> =
  & (Query extends StandardSchema ? { readonly query: SchemaOutput<Query> } : unknown)
  & (Body extends StandardSchema ? { readonly body: SchemaOutput<Body> } : unknown);

type Flatten<T> = { readonly [Key in keyof T]: T[Key] };

type HttpArgs<Params, Query, Body> = undefined extends Query & Body ? [request: Request, params: Params]
  : [request: Request, params: Params, input: Flatten<Input<Query, Body>>];

const METHOD_REGEXP = /^[A-Z]+$/;

/**
 * Declares that requests for a path are handled by a method.
 *
 * The handler receives the request, whose body has been read already and whose signal aborts when the client
 * goes away, and the variables of the rule. It returns a `Response`, text, bytes, JSON, `[status, body]`,
 * `[status, headers, body]`, a stream or an async iterable; nothing is 204. `GET` handles `HEAD`, too.
 *
 * @param method One, or several as a list or as Nameko's `"GET,POST"`.
 * @param rule `/orders/:id`, or Nameko's `/orders/<int:id>` with string, int, float, path, uuid and any(a,b).
 * @throws {TypeError} If the rule or a method makes no sense.
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 *
 * @example
 * ```ts
 * entrypoints: { show: http("GET", "/orders/<int:id>") },
 * handlers: { show: (_context, _request, { id }) => ({ id }) },
 * ```
 */
export function http<
  const Path extends string,
  Params extends StandardSchema | undefined = undefined,
  Query extends StandardSchema | undefined = undefined,
  Body extends StandardSchema | undefined = undefined,
>(
  method: string | readonly string[],
  rule: Path,
  { expected, redact, timeout, onError, summary, description, input, output }: HttpSchemas<
    Params,
    Query,
    Body
  > = {},
): HttpSpec<HttpArgs<Checked<Params, RuleParams<Path>>, Query, Body>> {
  parseRule(rule);
  const methods = (typeof method === "string" ? method.split(",") : method).map((each) =>
    each.trim().toUpperCase()
  );
  for (const each of methods) {
    if (!METHOD_REGEXP.test(each)) {
      throw new TypeError(`Cannot declare an HTTP entrypoint at "${rule}": "${each}" is not a method`);
    }
  }
  return entrypoint({
    kind: "http",
    options: { methods: [...new Set(methods)], rule },
    expected,
    redact,
    timeout,
    prepare: () => conversion(input, output, onError),
    describe: () => routeDetails({ summary, description, input, output, expected, onError }),
  });
}

function conversion(
  schemas: RequestSchemas | undefined,
  output: StandardSchema | undefined,
  onError: HttpOptions["onError"],
): Conversion {
  return {
    decode(payload, call) {
      const head = headOf(payload);
      const { params } = head;
      if (schemas === undefined) return [toRequest(payload, head, call), params];
      return checkRequest(payload, head, schemas).then(({ params: checked = params, ...input }) => [
        toRequest(payload, head, call),
        checked,
        ...(Object.keys(input).length > 0 ? [input] : []),
      ]);
    },
    encode: output === undefined
      ? encodeResult
      : async (result) => await encodeResult(await mapBody(result, (body) => checkResult(body, output))),
    async encodeError(thrown, expected, payload, call) {
      const head = headOf(payload);
      const formatted = await onError?.(thrown, { request: toRequest(payload, head, call), expected });
      return formatted === undefined ? errorReply(thrown, expected, head) : await encodeResult(formatted);
    },
    logProperties: (payload) => ({ request: headOf(payload).id }),
  };
}
