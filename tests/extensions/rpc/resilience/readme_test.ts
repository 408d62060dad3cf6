/** The README's service with a resilient client, in a folder outside of this one. */
import { ok, strictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import denoJson from "../../../../deno.json" with { type: "json" };

const ROOT = new URL("../../../../", import.meta.url);

const PAYMENTS = `
import { rpc, service } from "@enoki/enoki";
export default service("payments", {
  entrypoints: { charge: rpc(), find: rpc() },
  handlers: { charge: (_context, total: number) => total, find: (_context, id: string): string | null => id },
});
`;

Deno.test("the README's service with a resilient client compiles and loads", async () => {
  const readme = readFileSync(new URL("README.md", ROOT), "utf8");
  const [, section = ""] = /^### Resilient callers\n(.*?)^## /ms.exec(readme) ?? [];
  ok(section.split("\n").length <= 36, "the section has more than 35 lines");
  const [, code = ""] = /^```ts\n\/\/ shop\.ts\n(.*?)^```$/ms.exec(section) ?? [];
  const folder = await Deno.makeTempDir({ prefix: "enoki-resilient-" });
  try {
    const imports = { "@enoki/enoki": new URL(denoJson.exports["."], ROOT).href };
    const { compilerOptions } = denoJson;
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports, compilerOptions }));
    await Deno.writeTextFile(`${folder}/payments.ts`, PAYMENTS);
    await Deno.writeTextFile(`${folder}/shop.ts`, code);
    const { code: status, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "--no-lock", "shop.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    strictEqual(status, 0, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
