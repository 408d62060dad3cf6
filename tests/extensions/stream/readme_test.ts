/** The guide to streams, in a folder outside of this one. */
import { deepStrictEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import denoJson from "../../../deno.json" with { type: "json" };
import { memory } from "../../../extensions/memory/mod.ts";
import { run } from "../../../extensions/run.ts";
import { Child } from "../../fixtures/child.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { Peer } from "./stream_stage.ts";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("the guide's stream and its client talk to each other", async () => {
  const text = readFileSync(new URL("extensions/stream/README.md", ROOT), "utf8");
  const files = [...text.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)];
  deepStrictEqual(files.map(([, name]) => name), ["chat.ts", "visitor.ts"]);
  const folder = await Deno.makeTempDir({ prefix: "enoki-streams-" });
  try {
    const port = freePort();
    for (const [, name, code] of files) {
      await Deno.writeTextFile(`${folder}/${name}`, code!.replaceAll("8123", String(port)));
    }
    const imports = Object.fromEntries(
      Object.entries(denoJson.exports).map(([door, path]) => [
        `@enoki/enoki${door.slice(1)}`,
        new URL(path, ROOT).href,
      ]),
    );
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
    await using running = await run([`${folder}/chat.ts`], {
      broker: memory(),
      threads: { permissions: "all", kind: "node" },
    });
    using bob = await Peer.connect(running.streams[0]!);
    await bob.send("Bob\n");
    await bob.lineWith("Welcome, Bob!");
    const args = ["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", "visitor.ts"];
    await using visitor = new Child(Deno.execPath(), args, { cwd: folder });
    const { code, out, err } = await visitor.ended();
    equal(code, 0, err);
    equal(out, "What is your name?\nWelcome, Ada!\nclosed\n");
    await bob.lineWith("Ada has left: ended");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
