import assert from "node:assert/strict";
import { isHostPattern, ModuleOrigins } from "../../../../runtime/module/fetch/origins.ts";

function allows(options: ConstructorParameters<typeof ModuleOrigins>[0], url: string): boolean {
  try {
    new ModuleOrigins(options).check(new URL(url), undefined);
    return true;
  } catch {
    return false;
  }
}

const PATTERNS: readonly (readonly [pattern: string, url: string, allowed: boolean])[] = [
  ["code.example", "https://code.example/a.ts", true],
  ["CODE.example", "https://code.example:8443/a.ts", true],
  ["code.example", "https://other.code.example/a.ts", false],
  ["code.example", "https://code.example.org/a.ts", false],
  ["code.example:443", "https://code.example/a.ts", true],
  ["code.example:443", "https://code.example:8443/a.ts", false],
  ["*.code.example", "https://a.b.code.example/a.ts", true],
  ["*.code.example", "https://code.example/a.ts", false],
  ["*.code.example", "https://evilcode.example/a.ts", false],
  ["*.code.example:8443", "https://a.code.example:8443/a.ts", true],
  ["127.0.0.1:80", "http://127.0.0.1/a.ts", true],
  ["[::1]", "http://[::1]:8000/a.ts", true],
  ["[::1]:8000", "http://[::1]:8001/a.ts", false],
];

Deno.test("ModuleOrigins.check() passes the hosts that a pattern means", () => {
  for (const [pattern, url, allowed] of PATTERNS) {
    assert.equal(allows({ allowImport: [pattern] }, url), allowed, `${pattern} ${url}`);
  }
});

Deno.test("ModuleOrigins.check() passes no host where the list is empty", () => {
  assert.equal(allows({ allowImport: [] }, "https://code.example/a.ts"), false);
});

Deno.test("ModuleOrigins.check() passes plain http on this machine only, however its address is spelled", () => {
  for (
    const host of ["127.0.0.1", "127.1.2.3", "127.1", "0x7f.0.0.1", "[::1]", "localhost", "LOCALHOST:8000"]
  ) {
    assert.equal(allows({}, `http://${host}/a.ts`), true, host);
  }
  for (
    const host of ["code.example", "128.0.0.1", "localhost.example", "127.0.0.1.example", "[::2]", "0.0.0.0"]
  ) {
    assert.equal(allows({}, `http://${host}/a.ts`), false, host);
    assert.equal(allows({ allowHttp: true }, `http://${host}/a.ts`), true, host);
  }
});

Deno.test("isHostPattern() tells hosts from what is none", () => {
  for (const host of ["a", "a.b", "*.a.b", "a:1", "127.0.0.1", "[::1]:80"]) {
    assert.ok(isHostPattern(host), host);
  }
  for (const text of ["", "*", "a/b", "https://a", "u@a", "a:b", "::1", "a b", "*.*.a"]) {
    assert.ok(!isHostPattern(text), text);
  }
});
