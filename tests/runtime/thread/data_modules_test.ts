import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dataModuleCode, packagesIn } from "../../../runtime/thread/closing/data_modules.ts";

function found(url: string): readonly string[] {
  return packagesIn(dataModuleCode(new URL(url)));
}

function js(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

function base64(bytes: string, type = "text/javascript"): string {
  return `data:${type};base64,${btoa(bytes)}`;
}

/** Writes each character in two bytes, as UTF-16 does. */
function wide(code: string): string {
  return [...code].map((character) => `${character}\0`).join("");
}

Deno.test("the packages of a data: module are found in each spelling", () => {
  for (
    const url of [
      js("import 'npm:a'"),
      js('export * from "npm:a"'),
      js("export default () => import(`npm:a`)"),
      js("import 'NPM:a'").replace("NPM", "NpM"),
      js("import '\\x6epm:a'"),
      js("import 'n\\u0070m:a'"),
      js("import 'np\\u{00006d}:a'"),
      js("import 'n\\p\\m\\:a'"),
      js("import 'n\\tp\\nm\\r:a'"),
      js("import 'np\\\nm:a'"),
      js("import 'n\tpm:a'"),
      js("/* \\*/ import '\\x6epm:a'"),
      js("/** @jsxImportSource npm:a */"),
      base64("import 'npm:a'"),
      base64("import 'npm:a'").replaceAll("=", "%3D"),
      base64(`\xff\xfe${wide("import 'npm:a'")}`),
      base64("\0asm\x01\x02\x05npm:a\x01f"),
      "data:application/typescript;charset=utf-8,import%20'npm:a'",
      "DATA:,import 'npm:a'",
      "data:base64,import 'npm:a'",
      " data:text/javascript,import 'n\npm:a'",
      "data:text/javascript,import 'n%70m%3Aa'",
      "data:text/javascript,1#\nimport 'npm:a'",
    ]
  ) assert.match(found(url).join().toLowerCase(), /^npm:a/, url);
  assert.deepEqual(found(js("import 'jsr:@a/b'; import('npm:c@1')")), ["jsr:@a/b", "npm:c@1"]);
});

Deno.test("a data: module that names no package has none", () => {
  for (
    const code of ["export default 1", "import fs from 'node:fs'", "export const path = '\\u{1f600}\\\\'"]
  ) {
    assert.deepEqual(found(js(code)), []);
    assert.deepEqual(found(base64(code, "application/typescript;charset=utf-8")), []);
  }
  assert.deepEqual(found(js("export const image = 'data:image/png;base64,AA=='")), []);
});

Deno.test("a module that cannot be looked into is refused", () => {
  for (
    const [url, message] of [
      ["blob:null/2f4b4f5e-6b1e-4f5c-8d4b-6f7d1c1e2a3b", /it is a blob: URL/],
      [js("import 'data:text/javascript;base64,AAAA'"), /it names another data: or blob: URL/],
      [js("import 'd\\x61ta:text/javascript;base64,AAAA'"), /it names another/],
      [js("import 'blob:null/1'"), /it names another/],
      [base64(wide("import 'npm:a'"), "text/javascript;charset=utf-16le"), /its type has other parts/],
      ["data:text/javascript;charset=utf-8;charset=iso-2022-jp,1", /its type has other parts/],
      ["data:text/javascript;ch%61rset=utf-16,1", /its type has other parts/],
      ["data:text/javascript", /its type has other parts/],
      ["data:text/javascript;base64,A", /it is not valid base64/],
    ] as const
  ) {
    assert.throws(() => found(url), (error: unknown) => {
      assert.ok(error instanceof Deno.errors.NotCapable, url);
      assert.match(error.message, message, url);
      return true;
    });
  }
});

Deno.test("a restricted service does not make Deno write its lock file", async () => {
  const lock = await Deno.makeTempFile({ prefix: "enoki-lock-", suffix: ".lock" });
  const urls = [
    js("import 'npm:is-even@1.0.0'"),
    js("import 'n\\tpm:is-even@1.0.0'"),
    js("export const a = 1"),
  ];
  try {
    await Deno.copyFile(new URL("../../../deno.lock", import.meta.url), lock);
    const program = fileURLToPath(import.meta.resolve("../../fixtures/reaching_packages.ts"));
    const flags = ["-A", "--no-prompt", "--unstable-worker-options", "--unstable-no-legacy-abort"];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, `--lock=${lock}`, program, lock, ...urls],
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert.notEqual(text, "", new TextDecoder().decode(stderr));
    const { changed, answers } = JSON.parse(text);
    assert.deepEqual(answers.pop(), ["a"]);
    for (const answer of answers) assert.match(answer, /NotCapable: Cannot import npm:/);
    assert.equal(changed, false);
  } finally {
    await Deno.remove(lock);
  }
});
