import { toJsonSchema } from "../../../runtime/service/described/json_schema.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import type { StandardSchema } from "../../../runtime/service/standard_schema.ts";
import type { RequestSchemas } from "../validation.ts";

/** The details of a route that a thread reports: those of its options that OpenAPI has a place for. */
export interface RouteDetails {
  readonly summary?: string;
  readonly description?: string;
  readonly params?: PlainRecord;
  readonly query?: PlainRecord;
  readonly body?: PlainRecord;
  readonly output?: PlainRecord;
  /** Names of errors that are the client's fault. */
  readonly expected: readonly string[];
  /** Whether the service formats errors in its own way. */
  readonly formatsErrors: boolean;
}

/** Makes {@linkcode RouteDetails} from the options of a route. Schemas become JSON Schema. */
export function routeDetails(
  { summary, description, input = {}, output, expected = [], onError }: {
    readonly summary?: string | undefined;
    readonly description?: string | undefined;
    readonly input?: RequestSchemas | undefined;
    readonly output?: StandardSchema | undefined;
    readonly expected?: readonly string[] | undefined;
    readonly onError?: unknown;
  },
): PlainRecord {
  const { params, query, body } = input;
  const details: RouteDetails = {
    ...(summary !== undefined && { summary }),
    ...(description !== undefined && { description }),
    ...(params && { params: toJsonSchema(params, "input") }),
    ...(query && { query: toJsonSchema(query, "input") }),
    ...(body && { body: toJsonSchema(body, "input") }),
    ...(output && { output: toJsonSchema(output, "output") }),
    expected,
    formatsErrors: onError !== undefined,
  };
  return details as PlainRecord & RouteDetails;
}
