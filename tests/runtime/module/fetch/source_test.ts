import assert from "node:assert/strict";
import { decodeModule, type ModuleMediaType } from "../../../../runtime/module/fetch/source.ts";

const TYPES: readonly (readonly [path: string, contentType: string | undefined, ModuleMediaType])[] = [
  ["a.ts", undefined, "ts"],
  ["a.mts", undefined, "ts"],
  ["A.TS", undefined, "ts"],
  ["a.tsx", undefined, "tsx"],
  ["a.js", undefined, "js"],
  ["a.mjs", undefined, "js"],
  ["a.jsx", undefined, "jsx"],
  ["a.json", undefined, "json"],
  ["a.ts", "text/plain; charset=utf-8", "ts"],
  ["a.jsx?v=1.html", "application/octet-stream", "jsx"],
  ["a", "application/typescript", "ts"],
  ["a", "text/typescript", "ts"],
  ["a.ts", "video/mp2t", "ts"],
  ["a.ts", "text/vnd.trolltech.linguist", "ts"],
  ["a.tsx", "application/typescript", "tsx"],
  ["a.ts", "text/javascript", "js"],
  ["a.tsx", "text/javascript", "tsx"],
  ["a.mts", "text/javascript", "ts"],
  ["a.jsx", "text/typescript", "jsx"],
  ["a.mjs", "text/typescript", "js"],
  ["a", "Application/JavaScript; charset=UTF-8", "js"],
  ["a.jsx", "application/javascript", "jsx"],
  ["a", "text/jsx", "jsx"],
  ["a", "text/tsx", "tsx"],
  ["a", "application/json", "json"],
  ["a.js", "application/manifest+json", "json"],
];

function decode(path: string, contentType: string | undefined, bytes = new Uint8Array()) {
  return decodeModule({ url: `https://code.example/${path}`, contentType, bytes, sha256: "" }, path);
}

Deno.test("decodeModule() goes by the content type, and by the extension where that is vague", () => {
  for (const [path, contentType, mediaType] of TYPES) {
    assert.equal(decode(path, contentType).mediaType, mediaType, `${path} ${contentType}`);
  }
});

Deno.test("decodeModule() refuses what is neither", () => {
  assert.throws(() => decode("a", undefined), /Cannot load module a: its name has no known extension/);
  assert.throws(() => decode("a.html", "text/plain"), /its content type is text\/plain/);
  assert.throws(() => decode("a.ts", "text/html"), /its content type is text\/html/);
  assert.throws(() => decode("a.wasm", undefined), { name: "ServiceLoadError" });
});

Deno.test("decodeModule() decodes by the charset and drops a byte order mark", () => {
  assert.equal(decode("a.ts", 'text/typescript; charset="iso-8859-1"', new Uint8Array([0xe9])).text, "é");
  assert.equal(decode("a.ts", undefined, new Uint8Array([0xef, 0xbb, 0xbf, 0x31])).text, "1");
});

Deno.test("decodeModule() refuses what is not text in its charset", () => {
  assert.throws(() => decode("a.ts", undefined, new Uint8Array([0xff])), /it is not text in utf-8/);
  assert.throws(() => decode("a.ts", "text/typescript; charset=klingon"), /its charset "klingon" is unknown/);
});
