import { deepStrictEqual } from "node:assert/strict";
import { invocationOf } from "../../../runtime/hosting/host.ts";

const ENTRY = { index: 3, method: "place", kind: "rpc", options: {}, timeout: undefined };
const PAYLOAD = { body: "{}", contentType: undefined, headers: undefined };

Deno.test("invocationOf() passes on until when somebody waits for the answer", () => {
  const invocation = { ...PAYLOAD, entrypoint: 3 };
  deepStrictEqual(invocationOf(ENTRY, PAYLOAD), invocation);
  deepStrictEqual(invocationOf(ENTRY, { ...PAYLOAD, deadline: 5 }), { ...invocation, deadline: 5 });
  deepStrictEqual(invocationOf(ENTRY, { ...PAYLOAD, answerBy: 5 }), { ...invocation, answerBy: 5 });
  deepStrictEqual(invocationOf({ ...ENTRY, timeout: 9 }, { ...PAYLOAD, deadline: 5, message: "m" }), {
    ...invocation,
    deadline: 5,
    message: "m",
    timeout: 9,
  });
});
