import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  type CallHeaders,
  decodeCallHeaders,
  decodeDeadline,
  encodeCallHeaders,
} from "../../../runtime/message/call_headers.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";

const NONE: CallHeaders = { stack: [], data: {}, deadline: undefined };

Deno.test("decodeCallHeaders() finds nothing in a message without headers", () => {
  deepStrictEqual(decodeCallHeaders(undefined), NONE);
  deepStrictEqual(decodeCallHeaders({}), NONE);
});

Deno.test("decodeCallHeaders() strips the prefix and keeps headers without it", () => {
  const { data } = decodeCallHeaders({ "nameko.language": "de", user: 5, "x.nameko.y": true });
  deepStrictEqual(data, { language: "de", user: 5, "x.nameko.y": true });
});

Deno.test("decodeCallHeaders() keeps null and does not coerce", () => {
  deepStrictEqual(decodeCallHeaders({ "nameko.a": null, "nameko.b": 1.5, "nameko.c": [{ d: false }] }).data, {
    a: null,
    b: 1.5,
    c: [{ d: false }],
  });
});

Deno.test("decodeCallHeaders() lets the later of two headers of one name win", () => {
  strictEqual(decodeCallHeaders({ language: "fr", "nameko.language": "de" }).data["language"], "de");
  strictEqual(decodeCallHeaders({ "nameko.language": "de", language: "fr" }).data["language"], "fr");
});

Deno.test("decodeCallHeaders() reads the stack as texts", () => {
  deepStrictEqual(decodeCallHeaders({ "nameko.call_id_stack": ["a.b.1", 2] }).stack, ["a.b.1", "2"]);
});

Deno.test("decodeCallHeaders() leaves out of a stack what can be no id, even what no text can be made of", () => {
  const stack = ["a.b.1", { toString: 1 }, [{ toString: 1 }], null, { valueOf: 1, toString: null }, "c.d.2"];
  deepStrictEqual(decodeCallHeaders({ "nameko.call_id_stack": stack }).stack, ["a.b.1", "c.d.2"]);
});

Deno.test("decodeCallHeaders() keeps a header called __proto__ from becoming the prototype of context data", () => {
  const { data } = decodeCallHeaders(JSON.parse('{"nameko.__proto__": {"user": 1}}'));
  deepStrictEqual(data["user"], undefined);
});

Deno.test("decodeCallHeaders() takes a stack that is no list for none", () => {
  for (const stack of [null, "a.b.1", 5, { a: 1 }]) {
    deepStrictEqual(decodeCallHeaders({ "nameko.call_id_stack": stack }), NONE);
  }
});

Deno.test("decodeCallHeaders() reads the deadline from text or number", () => {
  for (const deadline of ["1700000000000", 1_700_000_000_000]) {
    strictEqual(decodeCallHeaders({ "nameko.enoki_deadline": deadline }).deadline, 1_700_000_000_000);
    strictEqual(decodeDeadline({ "nameko.enoki_deadline": deadline }), 1_700_000_000_000);
  }
});

Deno.test("decodeCallHeaders() takes a deadline that makes no sense for none", () => {
  for (const deadline of ["", "soon", "Infinity", null, true, [5]]) {
    strictEqual(decodeCallHeaders({ "nameko.enoki_deadline": deadline }).deadline, undefined);
    strictEqual(decodeDeadline({ "nameko.enoki_deadline": deadline }), undefined);
  }
  strictEqual(decodeDeadline(undefined), undefined);
});

Deno.test("encodeCallHeaders() prefixes context data, stack and deadline", () => {
  deepStrictEqual(encodeCallHeaders({ stack: ["a.b.1"], data: { language: "de" }, deadline: 5 }), {
    "nameko.language": "de",
    "nameko.call_id_stack": ["a.b.1"],
    "nameko.enoki_deadline": "5",
  });
});

Deno.test("encodeCallHeaders() drops null and what is empty", () => {
  deepStrictEqual(encodeCallHeaders({ stack: [], data: { a: null, b: 0, c: "" }, deadline: undefined }), {
    "nameko.b": 0,
    "nameko.c": "",
  });
});

Deno.test("encodeCallHeaders() writes the deadline as the text of an integer", () => {
  const headers: FieldTable = encodeCallHeaders({ stack: [], data: {}, deadline: 1_700_000_000_000.25 });
  strictEqual(headers["nameko.enoki_deadline"], "1700000000001");
});

Deno.test("decodeCallHeaders() reads back what encodeCallHeaders() wrote", () => {
  const headers: CallHeaders = {
    stack: ["a.b.1", "c.d.2"],
    data: { language: "de", n: { m: [1] } },
    deadline: 9,
  };
  deepStrictEqual(decodeCallHeaders(encodeCallHeaders(headers)), headers);
});
