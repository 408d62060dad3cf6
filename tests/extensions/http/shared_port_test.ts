import { deepStrictEqual, throws } from "node:assert/strict";
import { sharedPortOptions } from "../../../extensions/http/listening/shared_port.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { freePort } from "../../fixtures/free_port.ts";

const leaving = new AbortController().signal;
const FIRST = { index: 0, isFirst: true, leaving };
const NEXT = { index: 1, isFirst: false, leaving };

Deno.test("sharedPortOptions() shares nothing where a process is alone", () => {
  deepStrictEqual(sharedPortOptions({ hostname: "127.0.0.1", port: 0 }, undefined), {});
});

Deno.test("sharedPortOptions() refuses what processes cannot share", () => {
  for (const address of [{ path: "/run/a.sock" }, { hostname: "127.0.0.1", port: 0 }]) {
    throws(() => sharedPortOptions(address, NEXT), ConfigurationError);
  }
});

Deno.test("sharedPortOptions() asks for the port only in the first process", () => {
  const address = { hostname: "127.0.0.1", port: freePort() };
  using _taken = Deno.listen(address);
  throws(() => sharedPortOptions(address, FIRST), Deno.errors.AddrInUse);
  deepStrictEqual(sharedPortOptions(address, NEXT), { reusePort: true });
});
