import type { PlainRecord } from "../../../runtime/message/plain.ts";
import type { Components } from "../../../runtime/service/described/components.ts";
import type { RouteDetails } from "./details.ts";

/** The facts that decide which errors may answer a request for a route. */
export interface ErrorFacts extends Pick<RouteDetails, "expected" | "formatsErrors"> {
  /** Whether requests are checked against schemas. */
  readonly isChecked: boolean;
  /** Whether a schema checks the body, which must be readable for that. */
  readonly hasBody: boolean;
  /** Whether requests may have a body, even if nothing reads it. */
  readonly takesBody: boolean;
  /** Whether the response must begin within a time limit. */
  readonly isTimed: boolean;
}

/**
 * Describes the responses for errors, by status.
 *
 * If the service formats errors in its own way, the descriptions of these responses leave out the body. The
 * service never formats the errors that the server itself answers with, so their descriptions always have the
 * body.
 */
export function errorResponses(
  { expected, formatsErrors, isChecked, hasBody, takesBody, isTimed }: ErrorFacts,
  components: Components,
): PlainRecord {
  const response = (description: string, name: string, schema: PlainRecord, others: PlainRecord = {}) => ({
    description,
    ...(!formatsErrors && {
      content: { "application/json": { schema: components.refer(name, schema) }, ...others },
    }),
  });
  const own = (description: string) => ({
    description,
    content: { "application/json": { schema: components.refer("Error", ERROR) } },
  });
  const faults = [...(hasBody ? ["the body cannot be read"] : []), ...expected];
  return {
    ...(faults.length > 0 && {
      400: response(`The client's fault: ${faults.join(", ")}`, "Error", ERROR, {
        "text/plain": { schema: { type: "string" } },
      }),
    }),
    ...(takesBody && { 413: own("The body is too large") }),
    ...(isChecked && { 422: response("The request is not valid", "InvalidRequest", INVALID_REQUEST) }),
    500: response("The service failed to handle the request", "InternalServerError", INTERNAL_ERROR),
    503: own("The service is stopping, or lost the request"),
    ...(isTimed && { 504: own("The service took too long to respond") }),
  };
}

const TEXT = { type: "string" };

const ERROR = object({ error: { ...TEXT, description: "Class of the error" }, message: TEXT });

const INVALID_REQUEST = object({
  error: { const: "InvalidRequest" },
  message: TEXT,
  issues: {
    type: "array",
    items: object({ in: { enum: ["params", "query", "body"] }, path: TEXT, message: TEXT }),
  },
});

const INTERNAL_ERROR = object({
  error: { const: "InternalServerError" },
  message: TEXT,
  request: { ...TEXT, description: "Id of the request. The log has the details under this id" },
});

function object(properties: PlainRecord): PlainRecord {
  return { type: "object", properties, required: Object.keys(properties) };
}
