/** The page of the extension, as a reader follows it: in a folder outside of this one. */
import { deepStrictEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import denoJson from "../../../deno.json" with { type: "json" };
import { cacheSettings } from "../../../extensions/cache/settings.ts";
import { parseConfigYaml } from "../../../runtime/config/yaml.ts";
import { Section } from "../../../runtime/config/section.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { Child } from "../../fixtures/child.ts";

const ROOT = new URL("../../../", import.meta.url);
const PAGE = readFileSync(new URL("extensions/cache/README.md", ROOT), "utf8");

Deno.test("the page's services compile, and print what the page shows", async () => {
  const files = [...PAGE.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)];
  deepStrictEqual(files.map(([, name]) => name), ["prices.ts", "shop.ts", "program.ts", "rates.ts"]);
  const [, shown] = /^```console\n\$ deno run -A program\.ts\n(.*?)^```$/ms.exec(PAGE) ?? [];
  const folder = await Deno.makeTempDir({ prefix: "enoki-caching-" });
  try {
    for (const [, name, code] of files) await Deno.writeTextFile(`${folder}/${name}`, code!);
    const imports = Object.fromEntries(
      Object.entries(denoJson.exports).map(([door, path]) => [
        `@enoki/enoki${door.slice(1)}`,
        new URL(path, ROOT).href,
      ]),
    );
    const config = JSON.stringify({ imports, unstable: ["worker-options"] });
    await Deno.writeTextFile(`${folder}/deno.json`, config);
    const options = { cwd: folder, env: { NO_COLOR: "1", XDG_RUNTIME_DIR: folder } };
    const services = files.map(([, name]) => name!).filter((name) => name !== "program.ts");
    const [checked, ran] = await Promise.all(
      [["check", "--quiet", ...services], ["run", "-A", "--no-check", "--quiet", "program.ts"]].map(
        async (args) => {
          await using child = new Child(Deno.execPath(), args, options);
          return await child.ended();
        },
      ),
    );
    equal(checked!.code, 0, checked!.err);
    equal(ran!.code, 0, ran!.err);
    equal(ran!.out, shown);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the page's configuration is the default", () => {
  const [, yaml = ""] = /^```yaml\n(.*?)^```$/ms.exec(PAGE) ?? [];
  deepStrictEqual(
    cacheSettings(
      new Section(
        parseConfigYaml(yaml, {
          action: "Cannot read the page",
          env: { get: () => undefined },
        }) as PlainRecord,
      ),
    ),
    cacheSettings(new Section({})),
  );
});
