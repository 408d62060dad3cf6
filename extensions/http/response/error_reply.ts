import { encodeJson, JSON_CONTENT_TYPE } from "../../../runtime/message/codec.ts";
import { describeFailure, type Failure } from "../../../runtime/message/failure.ts";
import type { Reply } from "../../../runtime/message/reply.ts";
import { encodeResponseHead, headerOf, type RequestHead } from "../request/head.ts";

/**
 * The response to an error that nobody else made one for.
 *
 * Of the client's own faults it says all: Nameko's `Error: <class>: <message>`, or JSON for those who accept it.
 * Of faults of the service it says nothing but the request's id, by which the log tells the rest.
 */
export function errorReply(thrown: unknown, expected: boolean, head: RequestHead): Reply {
  const failure = describeFailure(thrown);
  if (!expected && !BAD_REQUEST.has(failure.code)) return internalError(head);
  const status = statusOf(thrown);
  const issues = issuesOf(failure);
  const { name, message, code } = failure;
  if (issues !== undefined) return json(status, { error: "InvalidRequest", message, issues });
  if (acceptsJson(head)) return json(status, { error: code === "ERROR" ? name : code, message });
  return {
    head: encodeResponseHead({ status, headers: ["content-type", "text/plain; charset=utf-8"] }),
    body: `Error: ${name}: ${message}\n`,
  };
}

const BAD_REQUEST: ReadonlySet<string> = new Set(["BAD_REQUEST", "MALFORMED_REQUEST"]);

function internalError({ id }: RequestHead): Reply {
  return json(500, {
    error: "InternalServerError",
    message: "The service failed to handle the request",
    request: id,
  });
}

function json(status: number, value: unknown): Reply {
  const head = encodeResponseHead({ status, headers: ["content-type", JSON_CONTENT_TYPE] });
  return { head, body: encodeJson(value) };
}

function statusOf(thrown: unknown): number {
  try {
    const { status } = thrown as { readonly status?: unknown };
    return typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599
      ? status
      : 400;
  } catch {
    return 400;
  }
}

/** Only validation of this request has both. */
function issuesOf({ data, code }: Failure): unknown {
  if (code !== "BAD_REQUEST" || typeof data !== "object" || data === null) return undefined;
  return (data as { readonly issues?: unknown }).issues;
}

function acceptsJson({ headers }: RequestHead): boolean {
  return /\bapplication\/(?:[\w.+-]+\+)?json\b/i.test(headerOf(headers, "accept") ?? "");
}
