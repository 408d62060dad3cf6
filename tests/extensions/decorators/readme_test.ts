/** The class in the guide for users of Nameko, in a folder outside of this one. */
import { equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import denoJson from "../../../deno.json" with { type: "json" };
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, run } from "../../../extensions/run.ts";
import { Child } from "../../fixtures/child.ts";

const ROOT = new URL("../../../", import.meta.url);

const PAYMENTS = `
import { rpc } from "@enoki/enoki/decorators";
export class Payments {
  static readonly name = "payments";
  @rpc
  charge(total: number): string {
    return \`paid \${total}\`;
  }
}
`;

Deno.test("the guide's class is a service, and the compiler has nothing to say", async () => {
  const guide = readFileSync(new URL("examples/nameko/README.md", ROOT), "utf8");
  const code = /^```ts\n\/\/ orders\.ts\n(.*?)^```$/ms.exec(guide)![1]!;
  const folder = await Deno.makeTempDir({ prefix: "enoki-classes-" });
  try {
    const imports = Object.fromEntries(
      Object.entries(denoJson.exports).map(([door, path]) => [
        `@enoki/enoki${door.slice(1)}`,
        new URL(path, ROOT).href,
      ]),
    );
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
    await Deno.writeTextFile(`${folder}/payments.ts`, PAYMENTS);
    await Deno.writeTextFile(`${folder}/orders.ts`, code);
    const checking = new Child(Deno.execPath(), ["check", "--quiet", "orders.ts"], { cwd: folder });
    const { code: status, err } = await checking.ended();
    equal(status, 0, err);
    const broker = new MemoryBroker();
    await using _running = await run([`${folder}/payments.ts`, `${folder}/orders.ts`], {
      broker: memory({ broker }),
      threads: { kind: "web" },
    });
    await using connection = await connect({ broker: memory({ broker }) });
    const orders = connection.client("orders");
    equal(await orders["place"]!("tea"), "tea as usual: paid 5");
    equal(await orders["place"]!.kwargs({ note: "hot", item: "tea" }), "tea hot: paid 5");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
