import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  BadRequestError,
  BadResultError,
  CallError,
  type CallErrorOptions,
  CallTimeoutError,
  ContainerStoppingError,
  MethodNotFoundError,
  RemoteError,
  UnknownServiceError,
  WorkerLostError,
} from "../../../runtime/message/errors.ts";
import { describeFailure } from "../../../runtime/message/failure.ts";
import {
  decodeRequest,
  decodeResponse,
  encodeFailure,
  encodeRequest,
  encodeResult,
} from "../../../extensions/rpc/wire.ts";

class SoldOut extends Error {}
class Typed extends CallError {
  constructor(message: string, options: Partial<CallErrorOptions> = {}) {
    super(message, { code: "SOLD_OUT", ...options });
  }
}

/** The error object with which a failure of service "orders" travels. */
function errorObjectOf(thrown: unknown): Record<string, unknown> {
  const { result, error } = JSON.parse(encodeFailure(describeFailure(thrown), "orders"));
  strictEqual(result, null);
  return error;
}

/** The four keys that Nameko knows, as its error table (Nameko 2.14) has them. */
const ERRORS:
  readonly (readonly [thrown: unknown, type: string, path: string, args: unknown[], value: string])[] = [
    [new SoldOut("gone"), "SoldOut", "orders.SoldOut", ["gone"], "gone"],
    [new TypeError("odd"), "TypeError", "orders.TypeError", ["odd"], "odd"],
    ["text", "Error", "orders.Error", ["text"], "text"],
    [new MethodNotFoundError("nope"), "MethodNotFound", "nameko.exceptions.MethodNotFound", ["nope"], "nope"],
    [new BadRequestError("takes 2"), "IncorrectSignature", "nameko.exceptions.IncorrectSignature", [
      "takes 2",
    ], "takes 2"],
    [
      new BadRequestError("Message missing `args` or `kwargs`", { reason: "MalformedRequest" }),
      "MalformedRequest",
      "nameko.exceptions.MalformedRequest",
      ["Message missing `args` or `kwargs`"],
      "Message missing `args` or `kwargs`",
    ],
    [
      new BadResultError("Unserializable value: `x`"),
      "UnserializableValueError",
      "nameko.exceptions.UnserializableValueError",
      [],
      "Unserializable value: `x`",
    ],
    [
      new UnknownServiceError("nobody"),
      "UnknownService",
      "nameko.exceptions.UnknownService",
      ["nobody"],
      "Unknown service `nobody`",
    ],
    [
      new RemoteError("MyError", "text"),
      "RemoteError",
      "nameko.exceptions.RemoteError",
      ["MyError text"],
      "MyError text",
    ],
    [new CallTimeoutError("late"), "CallTimeoutError", "enoki.CallTimeoutError", ["late"], "late"],
    [new WorkerLostError("lost"), "WorkerLostError", "enoki.WorkerLostError", ["lost"], "lost"],
    [
      new ContainerStoppingError("stop"),
      "ContainerStoppingError",
      "enoki.ContainerStoppingError",
      ["stop"],
      "stop",
    ],
  ];

Deno.test("encodeFailure() writes Nameko's four keys for every kind of failure", () => {
  for (const [thrown, exc_type, exc_path, exc_args, value] of ERRORS) {
    const error = errorObjectOf(thrown);
    deepStrictEqual(
      {
        exc_type: error["exc_type"],
        exc_path: error["exc_path"],
        exc_args: error["exc_args"],
        value: error["value"],
      },
      { exc_type, exc_path, exc_args, value },
    );
  }
});

Deno.test("encodeFailure() adds code, data, retryable and status of our own", () => {
  deepStrictEqual(
    errorObjectOf(Object.assign(new Typed("gone", { data: { left: 0 }, retryable: true }), { status: 409 })),
    {
      exc_type: "Typed",
      exc_path: "orders.Typed",
      exc_args: ["gone"],
      value: "gone",
      code: "SOLD_OUT",
      data: { left: 0 },
      retryable: true,
      status: 409,
    },
  );
});

Deno.test("encodeFailure() writes a code of ours whose data is missing with the message in its place", () => {
  const { exc_args, value } = errorObjectOf(Object.assign(new Error("gone"), { code: "METHOD_NOT_FOUND" }));
  deepStrictEqual([exc_args, value], [["gone"], "gone"]);
});

Deno.test("encodeResult() and encodeFailure() write both keys of a response", () => {
  deepStrictEqual(JSON.parse(encodeResult('{"a":1}')), { result: { a: 1 }, error: null });
  deepStrictEqual(Object.keys(JSON.parse(encodeFailure(describeFailure("boom"), "orders"))), [
    "result",
    "error",
  ]);
});

Deno.test("encodeRequest() writes both keys of a request", () => {
  deepStrictEqual(JSON.parse(encodeRequest([])), { args: [], kwargs: {} });
  deepStrictEqual(JSON.parse(encodeRequest([1, "a"])), { args: [1, "a"], kwargs: {} });
  deepStrictEqual(JSON.parse(encodeRequest([], { order: 1 })), { args: [], kwargs: { order: 1 } });
});

Deno.test("encodeRequest() refuses arguments that are no JSON", () => {
  throws(() => encodeRequest([1n]), TypeError);
  throws(() => encodeRequest([], { a: 1n }), TypeError);
});

Deno.test("decodeRequest() reads text and bytes", () => {
  const body = '{"args": [1, NaN], "kwargs": {"a": "é"}, "more": 1}';
  const expected = { args: [1, NaN], kwargs: { a: "é" } };
  deepStrictEqual(decodeRequest(body), expected);
  deepStrictEqual(decodeRequest(new TextEncoder().encode(body)), expected);
});

Deno.test("decodeRequest() reads back what encodeRequest() wrote", () => {
  deepStrictEqual(decodeRequest(encodeRequest([1, { a: [null] }], { b: "c" })), {
    args: [1, { a: [null] }],
    kwargs: { b: "c" },
  });
});

Deno.test("decodeRequest() refuses in Nameko's words what lacks args or kwargs", () => {
  for (const body of ["{}", '{"args": []}', '{"kwargs": {}}', "null", "[]", '"text"', "5"]) {
    throws(() => decodeRequest(body), {
      code: "MALFORMED_REQUEST",
      reason: "MalformedRequest",
      message: "Message missing `args` or `kwargs`",
    });
  }
});

Deno.test("decodeRequest() refuses args and kwargs of another shape, and what is no JSON", () => {
  const bodies = [
    '{"args": {}, "kwargs": {}}',
    '{"args": [], "kwargs": []}',
    '{"args": [], "kwargs": null}',
    "",
    "{",
  ];
  for (const body of [...bodies, new Uint8Array([0xff])]) {
    throws(() => decodeRequest(body), { code: "MALFORMED_REQUEST" });
  }
});

/** Responses that succeed at their caller (Nameko 2.14). */
const RESULTS: readonly (readonly [body: string, result: unknown])[] = [
  ['{"result": 1, "error": null}', 1],
  ['{"result": 1}', 1],
  ['{"result": null, "error": null}', null],
  ['{"error": null}', null],
  ['{"result": 1, "error": {}}', 1],
  ['{"result": 1, "error": "", "more": true}', 1],
  ['{"result": [NaN], "error": null}', [NaN]],
  ['{"result": "\\u00e9 é", "error": null}', "é é"],
];

Deno.test("decodeResponse() tolerates what Nameko's caller tolerates", () => {
  for (const [body, result] of RESULTS) {
    deepStrictEqual(decodeResponse(body), result, body);
    deepStrictEqual(decodeResponse(new TextEncoder().encode(body)), result, body);
  }
});

/** Errors as they arrive, and what they become. */
const FAILURES: readonly (readonly [error: unknown, expected: Record<string, unknown>])[] = [
  [{ exc_type: "MyError", value: "text" }, {
    name: "RemoteError",
    message: "MyError text",
    code: "REMOTE_ERROR",
  }],
  [
    { exc_type: "KeyError", exc_path: "builtins.KeyError", exc_args: ["missing"], value: "'missing'" },
    {
      name: "RemoteError",
      remoteName: "KeyError",
      remoteMessage: "'missing'",
      message: "KeyError 'missing'",
    },
  ],
  [
    {
      exc_type: "MethodNotFound",
      exc_path: "nameko.exceptions.MethodNotFound",
      exc_args: ["nope"],
      value: "nope",
    },
    { name: "MethodNotFoundError", code: "METHOD_NOT_FOUND", data: { method: "nope" } },
  ],
  [
    { exc_path: "nameko.exceptions.MethodNotFound", value: "nope" },
    { name: "MethodNotFoundError", data: { method: "nope" } },
  ],
  [
    { exc_path: "nameko.exceptions.IncorrectSignature", exc_args: ["takes 2"], value: "takes 2" },
    { name: "BadRequestError", code: "BAD_REQUEST", message: "takes 2", reason: "IncorrectSignature" },
  ],
  [
    { exc_path: "nameko.exceptions.MalformedRequest", exc_args: ["no"], value: "no" },
    { name: "BadRequestError", code: "MALFORMED_REQUEST", message: "no", reason: "MalformedRequest" },
  ],
  [
    {
      exc_type: "UnknownService",
      exc_path: "nameko.exceptions.UnknownService",
      exc_args: ["x"],
      value: "Unknown service `x`",
    },
    { name: "RemoteError", message: "UnknownService Unknown service `x`" },
  ],
  [
    { exc_type: "RemoteError", exc_path: "nameko.exceptions.RemoteError", value: "MyError text" },
    { name: "RemoteError", remoteName: "RemoteError", message: "RemoteError MyError text" },
  ],
  [
    {
      exc_type: "SoldOut",
      exc_path: "orders.SoldOut",
      value: "gone",
      code: "SOLD_OUT",
      data: { left: 0 },
      retryable: true,
      status: 409,
    },
    { name: "RemoteError", code: "SOLD_OUT", data: { left: 0 }, retryable: true, status: 409 },
  ],
  [{ exc_type: "Iterable", value: ["a", 1] }, { message: 'Iterable ["a",1]' }],
  [{ exc_type: "Silent" }, { remoteMessage: "" }],
  [{ exc_type: 5, value: "v", code: 7, retryable: "yes", status: 200 }, {
    remoteName: "Error",
    code: "REMOTE_ERROR",
    retryable: false,
    status: undefined,
  }],
  ["text", { name: "RemoteError", message: "Error text" }],
  [["a"], { name: "RemoteError", message: 'Error ["a"]' }],
];

Deno.test("decodeResponse() throws the error that arrived", () => {
  for (const [error, expected] of FAILURES) {
    throws(() => decodeResponse(JSON.stringify({ result: null, error })), expected);
  }
});

Deno.test("decodeResponse() lets the error win over the result", () => {
  throws(() => decodeResponse('{"result": 1, "error": {"exc_type": "E", "value": "v"}}'), { message: "E v" });
});

Deno.test("decodeResponse() refuses what is no response", () => {
  for (const body of ["null", "[]", '"text"', "5", "{}", "", "{", new Uint8Array([0xff])]) {
    throws(() => decodeResponse(body), { name: "RemoteError", remoteName: "MalformedResponse" });
  }
});

/** What an error of a service is at a caller on our side: protocol errors keep their class. */
const CROSSING: readonly (readonly [thrown: Error, name: string, code: string, retryable: boolean])[] = [
  [new MethodNotFoundError("nope"), "MethodNotFoundError", "METHOD_NOT_FOUND", false],
  [new BadRequestError("bad"), "BadRequestError", "BAD_REQUEST", false],
  [new BadRequestError("bad", { reason: "MalformedRequest" }), "BadRequestError", "MALFORMED_REQUEST", false],
  [new CallTimeoutError("late"), "CallTimeoutError", "TIMEOUT", true],
  [new WorkerLostError("lost"), "WorkerLostError", "WORKER_LOST", true],
  [new ContainerStoppingError("stop"), "ContainerStoppingError", "CONTAINER_STOPPING", true],
  [new BadResultError("bad"), "RemoteError", "BAD_RESULT", false],
  [new UnknownServiceError("nobody"), "RemoteError", "UNKNOWN_SERVICE", true],
  [new Typed("gone"), "RemoteError", "SOLD_OUT", false],
  [new SoldOut("gone"), "RemoteError", "ERROR", false],
];

Deno.test("decodeResponse() gives the code and the class of what encodeFailure() wrote", () => {
  for (const [thrown, name, code, retryable] of CROSSING) {
    throws(() => decodeResponse(encodeFailure(describeFailure(thrown), "orders")), { name, code, retryable });
  }
});

Deno.test("decodeResponse() gives the data of a bad request back", () => {
  const data = { argument: 0, issues: [{ path: "id", message: "Not a number" }] };
  const body = encodeFailure(describeFailure(new BadRequestError("bad", { data })), "orders");
  throws(() => decodeResponse(body), { name: "BadRequestError", data });
});
