import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { httpSettings } from "../../../extensions/http/settings.ts";
import type { Config } from "../../../runtime/config/file.ts";
import { Section } from "../../../runtime/config/section.ts";

const read = (config: Config) => httpSettings(new Section(config));

Deno.test("httpSettings() fills in the defaults", () => {
  deepStrictEqual(read({}), {
    address: { hostname: "0.0.0.0", port: 8000 },
    hosts: undefined,
    maxBody: 10 * 1024 * 1024,
    contextHeaders: undefined,
    stallTimeout: 60_000,
    maxHeld: 256 * 1024 * 1024,
    tls: undefined,
    cors: undefined,
    health: true,
    openapi: undefined,
    asyncapi: undefined,
    docs: undefined,
  });
});

Deno.test("httpSettings() takes a number for a port", () => {
  deepStrictEqual(read({ WEB_SERVER_ADDRESS: 80 }).address, { hostname: "0.0.0.0", port: 80 });
});

Deno.test("httpSettings() waits for standing clients for ever where HTTP_STALL_TIMEOUT is 0", () => {
  strictEqual(read({ HTTP_STALL_TIMEOUT: 0 }).stallTimeout, Infinity);
  strictEqual(read({ HTTP_STALL_TIMEOUT: 2 }).stallTimeout, 2_000);
});

Deno.test("httpSettings() refuses TLS on a Unix socket, and half of a certificate", () => {
  const tls = { cert: "c.pem", key: "k.pem" };
  throws(() => read({ WEB_SERVER_ADDRESS: "unix:/tmp/x", HTTP_TLS: tls }), /a Unix socket cannot use TLS/);
  throws(() => read({ HTTP_TLS: { cert: "c.pem" } }), /"HTTP_TLS": .* expected a mapping with cert and key/);
});

Deno.test("httpSettings() takes one host, a list of hosts, or * for all", () => {
  deepStrictEqual(read({ HTTP_HOSTS: "a.example" }).hosts, ["a.example"]);
  deepStrictEqual(read({ HTTP_HOSTS: [".a.example", "[::1]:80"] }).hosts, [".a.example", "[::1]:80"]);
  deepStrictEqual(read({ HTTP_HOSTS: "*" }).hosts, undefined);
});

Deno.test("httpSettings() refuses what is no host, and a list of none, which would answer nobody", () => {
  for (const hosts of [[], ["*"], ["https://a.example"], ["a.example/"], ["a.*"], ["*.1.2.3.4"], "::1", 5]) {
    throws(() => read({ HTTP_HOSTS: hosts }), /"HTTP_HOSTS": .* expected /);
  }
});
