import { encodeJson, JSON_CONTENT_TYPE } from "../../../runtime/message/codec.ts";
import type { RemoteError } from "../../../runtime/message/errors.ts";
import { describeFailure, type Failure } from "../../../runtime/message/failure.ts";
import type { Reply } from "../../../runtime/message/reply.ts";
import { encodeResponseHead, headerOf, type RequestHead } from "../request/head.ts";

/**
 * Makes the response to an error for which the service has made none.
 *
 * About a fault of the client, the response says everything: as Nameko's `Error: <class>: <message>`, or as
 * JSON if the client accepts JSON. About a fault of the service, it says only the id of the request. The log
 * has the rest under this id.
 */
export function errorReply(thrown: unknown, expected: boolean, head: RequestHead): Reply {
  const failure = describeFailure(thrown);
  if (!expected && !BAD_REQUEST.has(failure.code)) return internalError(head);
  const { status = 400, code } = failure;
  const issues = issuesOf(failure);
  const { remoteName: name = failure.name, remoteMessage: message = failure.message } = remoteParts(thrown);
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

/** Gives what a remote error was in its service. The client gets the error as that service threw it. */
function remoteParts(thrown: unknown): Partial<Pick<RemoteError, "remoteName" | "remoteMessage">> {
  try {
    const { remoteName, remoteMessage } = thrown as Partial<RemoteError>;
    return typeof remoteName === "string" && typeof remoteMessage === "string"
      ? { remoteName, remoteMessage }
      : {};
  } catch {
    return {};
  }
}

/** Only the validation of this request makes errors with this code and with issues. */
function issuesOf({ data, code }: Failure): unknown {
  if (code !== "BAD_REQUEST" || typeof data !== "object" || data === null) return undefined;
  return (data as { readonly issues?: unknown }).issues;
}

function acceptsJson({ headers }: RequestHead): boolean {
  return /\bapplication\/(?:[\w.+-]+\+)?json\b/i.test(headerOf(headers, "accept") ?? "");
}
