/** The program with a runner in the guide to services, in a folder outside of this one. */
import { equal, match, notEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import denoJson from "../../deno.json" with { type: "json" };
import { Child } from "../fixtures/child.ts";

const ROOT = new URL("../../", import.meta.url);

const ORDERS = `
import { rpc, service } from "@enoki/enoki";
export default service("orders", { entrypoints: { place: rpc() }, handlers: { place: () => "placed" } });
`;

Deno.test("the guide's program with a Runner does what its comments say", async () => {
  const readme = readFileSync(new URL("runtime/service/README.md", ROOT), "utf8");
  const [, code = ""] = /^```ts\n\/\/ program\.ts\n(.*?)^```$/ms.exec(readme) ?? [];
  const program = code.replace("amqp://localhost", "memory:")
    .replace("await runner.finished", "await Promise.all([runner.stop(), runner.finished])");
  notEqual(program, code);
  const folder = await Deno.makeTempDir({ prefix: "enoki-runner-" });
  try {
    const imports = Object.fromEntries(
      Object.entries(denoJson.exports).map(([door, path]) => [
        `@enoki/enoki${door.slice(1)}`,
        new URL(path, ROOT).href,
      ]),
    );
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      JSON.stringify({ imports, unstable: ["worker-options"] }),
    );
    await Deno.writeTextFile(`${folder}/orders.ts`, ORDERS);
    await Deno.writeTextFile(`${folder}/program.ts`, program);
    await using child = new Child(Deno.execPath(), ["run", "-A", "--no-check", "program.ts"], {
      cwd: folder,
    });
    const { code: status, out, err } = await child.ended();
    equal(status, 0, err);
    match(out, /^running \{\s+entrypoints: \[ \{ kind: "rpc", method: "place", options: \{\} \} \]/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
