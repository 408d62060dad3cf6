import { deepStrictEqual, throws } from "node:assert/strict";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";

const SPECIFIERS: readonly (readonly [specifier: string | URL, url: string, service?: string])[] = [
  ["./orders.ts", "file:///shop/orders.ts"],
  ["orders.ts", "file:///shop/orders.ts"],
  ["../orders.ts", "file:///orders.ts"],
  ["/srv/orders.ts", "file:///srv/orders.ts"],
  ["./a b#c.ts", "file:///shop/a%20b%23c.ts"],
  ["./orders.ts:orders", "file:///shop/orders.ts", "orders"],
  ["./orders.ts:order-desk_2", "file:///shop/orders.ts", "order-desk_2"],
  ["./orders.ts:zahlungen$ä", "file:///shop/orders.ts", "zahlungen$ä"],
  ["./a:b/orders.ts", "file:///shop/a:b/orders.ts"],
  ["file:///srv/orders.ts", "file:///srv/orders.ts"],
  ["file:///srv/orders.ts:orders", "file:///srv/orders.ts", "orders"],
  ["https://host/orders.ts", "https://host/orders.ts"],
  ["https://host:8080/orders.ts", "https://host:8080/orders.ts"],
  ["https://host:8080/orders.ts:orders", "https://host:8080/orders.ts", "orders"],
  ["https://host:8080", "https://host:8080/"],
  ["https://host/orders.ts?v=1", "https://host/orders.ts?v=1"],
  ["https://host/orders.ts?v=1:orders", "https://host/orders.ts?v=1", "orders"],
  ["http://[::1]:8080/orders.ts:orders", "http://[::1]:8080/orders.ts", "orders"],
  ["http://[::1]:8080", "http://[::1]:8080/"],
  ["npm:orders@1.0.0", "npm:orders@1.0.0"],
  ["npm:@shop/orders", "npm:@shop/orders"],
  ["jsr:@shop/orders:orders", "jsr:@shop/orders", "orders"],
  ["data:text/typescript,export.default:x", "data:text/typescript,export.default:x"],
  [new URL("https://host/orders.ts:orders"), "https://host/orders.ts:orders"],
];

Deno.test("parseModuleSpecifier() reads paths and URLs, with a service behind them", () => {
  for (const [specifier, url, service] of SPECIFIERS) {
    deepStrictEqual(parseModuleSpecifier(specifier, "/shop"), { url, service }, String(specifier));
  }
});

Deno.test("parseModuleSpecifier() takes paths from the current folder", () => {
  deepStrictEqual(parseModuleSpecifier("./orders.ts"), parseModuleSpecifier("./orders.ts", Deno.cwd()));
});

Deno.test("parseModuleSpecifier() names what begins like a URL and is none", () => {
  throws(() => parseModuleSpecifier("http://"), {
    name: "ServiceLoadError",
    message: "Cannot load module http://: it is not a URL",
  });
});

Deno.test("parseModuleSpecifier() refuses a scheme that nothing fetches, instead of looking for such a file", () => {
  throws(() => parseModuleSpecifier("ftp://host/orders.ts", "/shop"), {
    name: "ServiceLoadError",
    message: /^Cannot load module ftp:\/\/host\/orders\.ts: there is no way to fetch it/,
  });
});

Deno.test("parseModuleSpecifier() says what it needs where it gets something else", () =>
  throws(
    () => parseModuleSpecifier({ name: "orders" } as unknown as string),
    /^TypeError: Cannot load a module: got a value of type object, expected a path or a URL$/,
  ));
