import { match, ok, strictEqual } from "node:assert/strict";
import * as errors from "../../../runtime/message/errors.ts";

const CALL_ERRORS:
  readonly (readonly [error: errors.CallError, code: errors.CallErrorCode, retryable: boolean])[] = [
    [new errors.UnknownServiceError("orders"), "UNKNOWN_SERVICE", true],
    [new errors.MethodNotFoundError("place"), "METHOD_NOT_FOUND", false],
    [new errors.BadRequestError("m"), "BAD_REQUEST", false],
    [new errors.BadRequestError("m", { reason: "MalformedRequest" }), "MALFORMED_REQUEST", false],
    [new errors.CallTimeoutError("m"), "TIMEOUT", true],
    [new errors.WorkerLostError("m"), "WORKER_LOST", true],
    [new errors.ContainerStoppingError("m"), "CONTAINER_STOPPING", true],
    [new errors.BadResultError("m"), "BAD_RESULT", false],
    [new errors.RemoteError("SoldOut", "gone"), "REMOTE_ERROR", false],
  ];

Deno.test("errors carry the name of their class on the prototype", () => {
  for (const [exportName, errorClass] of Object.entries(errors)) {
    strictEqual(errorClass.name, exportName);
    ok(Object.hasOwn(errorClass.prototype, "name"), exportName);
    strictEqual(errorClass.prototype.name, exportName);
    ok(errorClass.prototype instanceof Error, exportName);
  }
});

Deno.test("call errors carry their code and whether to retry", () => {
  for (const [error, code, retryable] of CALL_ERRORS) {
    strictEqual(error.code, code);
    strictEqual(error.retryable, retryable, code);
    ok(error instanceof errors.CallError, code);
  }
});

Deno.test("errors keep their cause", () => {
  const cause = new Error("below");
  strictEqual(new errors.CallTimeoutError("m", { cause }).cause, cause);
  strictEqual(new errors.RemoteError("A", "b", { cause }).cause, cause);
  strictEqual(new errors.BadResultError("m", { cause }).cause, cause);
  strictEqual(new errors.BrokerError("m", { cause }).cause, cause);
});

Deno.test("RemoteError says name and message as Nameko does", () => {
  const { message, remoteName, remoteMessage, code } = new errors.RemoteError("SoldOut", "gone", {
    code: "SOLD_OUT",
  });
  strictEqual(message, "SoldOut gone");
  strictEqual(remoteName, "SoldOut");
  strictEqual(remoteMessage, "gone");
  strictEqual(code, "SOLD_OUT");
});

Deno.test("errors print with their name", () => {
  match(
    String(new errors.UnknownServiceError("orders")),
    /^UnknownServiceError: Cannot call service "orders"/,
  );
});
