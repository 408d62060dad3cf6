import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { SignJWT } from "npm:jose@6.2.18";
import { connect } from "../../../extensions/connect.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { serveHttp } from "./web_stage.ts";

const SERVICES = new URL("../../../examples/auth/services.ts", import.meta.url).pathname;

function tokenFor(name: string, secret = "sesame"): Promise<string> {
  return new SignJWT({ name }).setProtectedHeader({ alg: "HS256" }).setSubject(`id-of-${name}`)
    .sign(new TextEncoder().encode(secret));
}

Deno.test("the example of authentication", async (test) => {
  const broker = new MemoryBroker();
  const thanked = Promise.withResolvers<string>();
  configureLogging({
    write: (line) => {
      const [text] = /Dear .* ordering \w+/.exec(line) ?? [];
      if (text !== undefined) thanked.resolve(text);
    },
  });
  await using running = await serveHttp([SERVICES], { JWT_SECRET: "sesame" }, {
    broker: memory({ broker }),
    threads: { kind: "node", permissions: "none" },
  });
  const order = (authorization?: string) =>
    fetch(`${running.http}/orders`, {
      method: "POST",
      body: '"lamp"',
      headers: { accept: "application/json", ...(authorization !== undefined && { authorization }) },
    });
  await test.step("takes a token from the request, and hands it on to the next service", async () => {
    const response = await order(`Bearer ${await tokenFor("ada")}`);
    deepStrictEqual([response.status, await response.json()], [200, {
      user: "ada",
      order: { sku: "lamp", customer: "id-of-ada" },
    }]);
  });
  await test.step("lets the user's id travel with an event", async () => {
    strictEqual(await thanked.promise, "Dear id-of-ada, thank you for ordering lamp");
  });
  await test.step("refuses a request without a token, and one with a forged token", async () => {
    const missing = await order();
    deepStrictEqual([missing.status, await missing.json()], [401, {
      error: "Unauthenticated",
      message: "A token is missing",
    }]);
    const forged = await order(`Bearer ${await tokenFor("eve", "guess")}`);
    deepStrictEqual([forged.status, (await forged.json()).message], [401, "The token is not valid"]);
  });
  await test.step("takes a token from the context data of a call, as Nameko sends it", async () => {
    await using cluster = await connect({
      broker: memory({ broker }),
      headers: { auth_token: await tokenFor("bob") },
    });
    deepStrictEqual(await cluster.client("orders").place!("desk"), { sku: "desk", customer: "id-of-bob" });
  });
});
