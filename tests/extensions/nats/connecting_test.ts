/** How a transport over NATS connects, and what it says when it cannot. */
import assert from "node:assert/strict";
import { readAddress } from "../../../examples/extensions/nats/address.ts";
import { NatsTransport } from "../../../examples/extensions/nats/transport.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { PrivateNats } from "../../fixtures/private_nats.ts";
import { natsTest } from "./nats_stage.ts";

Deno.test("nats: the URI names the server, the login and the prefix", () => {
  assert.deepEqual(readAddress("nats://me:p%40ss@example.org:4333/shop"), {
    server: "example.org:4333",
    login: { user: "me", pass: "p@ss" },
    prefix: "shop",
    broker: "nats://me@example.org:4333/shop",
  });
  assert.deepEqual(readAddress("nats://secret@example.org"), {
    server: "example.org:4222",
    login: { token: "secret" },
    prefix: "enoki",
    broker: "nats://token@example.org:4222/enoki",
  });
});

for (const uri of ["nats", "http://example.org", "nats://me:secret@host/two/words", "nats://%zz@host"]) {
  Deno.test(`nats: the URI ${uri} is refused without its password`, () => {
    assert.throws(() => new NatsTransport(uri), (error: Error) => {
      assert.equal(error.name, "ConfigurationError");
      assert.match(error.message, /^Cannot read the URI of the NATS server: .*\. Write nats:/);
      return !error.message.includes("me:secret");
    });
  });
}

Deno.test("nats: a server that is not there is told as unreachable", async () => {
  const transport = new NatsTransport(`nats://127.0.0.1:${freePort()}`);
  await assert.rejects(transport.connect(), { name: "BrokerError", state: "unreachable" });
  await transport.close();
});

natsTest("a login that the server refuses is told, again and again, and hurts nobody", async () => {
  await using server = await PrivateNats.open("--auth", "secret");
  assert.ok(server, "nats-server is not installed");
  const withToken = (token: string) => new NatsTransport(server.uri.replace("//", `//${token}@`));
  const uncaught: unknown[] = [];
  const listener = (event: ErrorEvent) => {
    event.preventDefault();
    uncaught.push(event.error);
  };
  globalThis.addEventListener("error", listener);
  for (let attempt = 0; attempt < 200; attempt++) {
    await assert.rejects(withToken("wrong").connect(), { name: "BrokerError", state: "refused" });
  }
  const transport = withToken("secret");
  await transport.connect();
  await transport.close();
  globalThis.removeEventListener("error", listener);
  assert.deepEqual(uncaught, []);
});
