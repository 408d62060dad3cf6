import assert from "node:assert/strict";
import { isAllowedOrigin, type OriginOptions } from "../../../extensions/websocket/sockets/origin.ts";

function allows(
  url: string,
  headers: Readonly<Record<string, string>>,
  options: Partial<OriginOptions> = {},
): boolean {
  const request = { url, headers: new Headers({ host: new URL(url).host, ...headers }) };
  return isAllowedOrigin(request, { origins: [], ...options });
}

Deno.test("a page may connect if host and port are the server's, and its scheme is not weaker", () => {
  for (
    const [url, origin, allowed] of [
      ["http://shop.example/", "http://shop.example", true],
      ["http://shop.example/", "http://shop.example:80", true],
      ["https://shop.example/", "https://shop.example", true],
      ["https://shop.example:8443/", "https://shop.example:8443", true],
      ["https://shop.example/", "http://shop.example", false],
      ["https://shop.example/", "http://shop.example:443", false],
      ["http://shop.example/", "https://shop.example", true],
      ["http://shop.example:8000/", "https://shop.example", false],
      ["http://shop.example:8000/", "http://shop.example", false],
      ["http://shop.example/", "http://shop.example.evil.example", false],
      ["http://shop.example/", "null", false],
      ["http://shop.example/", "chrome-extension://shop.example", false],
    ] as const
  ) assert.equal(allows(url, { origin }), allowed, `${origin} to ${url}`);
});

Deno.test("a page of a listed origin may connect, by the scheme that is listed", () => {
  const origins = ["https://shop.example"];
  assert.ok(allows("http://10.0.0.1:8000/", { origin: "https://shop.example" }, { origins }));
  assert.ok(!allows("http://10.0.0.1:8000/", { origin: "http://shop.example" }, { origins }));
});

Deno.test("x-forwarded-proto counts only where the proxy is trusted", () => {
  const url = "http://shop.example/";
  const forwarded = (scheme: string, origin: string) => ({ origin, "x-forwarded-proto": scheme });
  const trustProxy = true;
  assert.ok(allows(url, forwarded("https", "http://shop.example")));
  assert.ok(!allows(url, forwarded("https", "http://shop.example"), { trustProxy }));
  assert.ok(!allows(url, forwarded("https, http", "http://shop.example"), { trustProxy }));
  assert.ok(allows(url, forwarded("https", "https://shop.example"), { trustProxy }));
  assert.ok(!allows("https://shop.example/", forwarded("http", "http://shop.example")));
  assert.ok(allows(url, forwarded("nonsense", "http://shop.example"), { trustProxy }));
});
