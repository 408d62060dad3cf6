import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  type CallHeaders,
  decodeCallHeaders,
  decodeDeadline,
  encodeCallHeaders,
  withoutDeadline,
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
  const stack = JSON.parse(
    '["a.b.1", {"toString": 1}, [{"toString": 1}], null, {"valueOf": 1, "toString": null}, "c.d.2"]',
  );
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

Deno.test("decodeCallHeaders() counts the time until the deadline from now, as text or number", () => {
  for (const timeout of ["5000", 5_000]) {
    const before = Date.now();
    const { deadline, data } = decodeCallHeaders({ "nameko.enoki_timeout": timeout });
    ok(deadline! >= before + 5_000 && deadline! <= Date.now() + 5_000);
    deepStrictEqual(data, {});
    strictEqual(decodeDeadline({ "nameko.enoki_timeout": timeout }, 1_000), 6_000);
  }
});

Deno.test("decodeCallHeaders() reads the deadline of an older peer only if the time until then is absent", () => {
  for (const deadline of ["1700000000000", 1_700_000_000_000]) {
    strictEqual(decodeCallHeaders({ "nameko.enoki_deadline": deadline }).deadline, 1_700_000_000_000);
    strictEqual(decodeDeadline({ "nameko.enoki_deadline": deadline }, 0), 1_700_000_000_000);
  }
  const both = { "nameko.enoki_timeout": "5000", "nameko.enoki_deadline": "7" };
  ok(decodeCallHeaders(both).deadline! > Date.now());
  strictEqual(decodeDeadline(both, 1_000), 6_000);
});

Deno.test("withoutDeadline() removes every spelling of the deadline and nothing else", () => {
  const spellings = { "nameko.enoki_timeout": "1", enoki_timeout: "1", "nameko.enoki_deadline": "1" };
  deepStrictEqual(withoutDeadline({ ...spellings, enoki_deadline: 1, "nameko.language": "de" }), {
    "nameko.language": "de",
  });
  const none = { "nameko.language": "de" };
  strictEqual(withoutDeadline(none), none);
});

Deno.test("decodeCallHeaders() takes a deadline that makes no sense for none", () => {
  for (const name of ["nameko.enoki_timeout", "nameko.enoki_deadline"]) {
    for (const deadline of ["", "soon", "Infinity", null, true, [5]]) {
      strictEqual(decodeCallHeaders({ [name]: deadline }).deadline, undefined);
      strictEqual(decodeDeadline({ [name]: deadline }, 0), undefined);
    }
  }
  strictEqual(decodeDeadline(undefined, 0), undefined);
});

Deno.test("encodeCallHeaders() prefixes context data, stack and the time until the deadline", () => {
  deepStrictEqual(encodeCallHeaders({ stack: ["a.b.1"], data: { language: "de" }, deadline: 5 }), {
    "nameko.language": "de",
    "nameko.call_id_stack": ["a.b.1"],
    "nameko.enoki_timeout": "0",
  });
});

Deno.test("encodeCallHeaders() drops null and what is empty", () => {
  deepStrictEqual(encodeCallHeaders({ stack: [], data: { a: null, b: 0, c: "" }, deadline: undefined }), {
    "nameko.b": 0,
    "nameko.c": "",
  });
});

Deno.test("encodeCallHeaders() writes the time until the deadline as the text of an integer, and no clock", () => {
  const deadline = Date.now() + 5_000.25;
  const headers: FieldTable = encodeCallHeaders({ stack: [], data: {}, deadline });
  const timeout = headers["nameko.enoki_timeout"];
  ok(typeof timeout === "string" && /^\d{4}$/.test(timeout), String(timeout));
  ok(Number(timeout) <= 5_001);
  deepStrictEqual(Object.keys(headers), ["nameko.enoki_timeout"]);
});

Deno.test("decodeCallHeaders() reads back what encodeCallHeaders() wrote", () => {
  const headers: CallHeaders = {
    stack: ["a.b.1", "c.d.2"],
    data: { language: "de", n: { m: [1] } },
    deadline: undefined,
  };
  deepStrictEqual(decodeCallHeaders(encodeCallHeaders(headers)), headers);
});
