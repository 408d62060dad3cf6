import assert from "node:assert/strict";
import { brokerUri } from "../fixtures/broker_probe.ts";
import { type Launcher, ServedShop } from "./launcher.ts";

/** What a served shop does, however it was started. */
const LAWS: Readonly<Record<string, (shop: ServedShop, url: string) => Promise<void>>> = {
  "answers calls": async (shop) => {
    assert.deepEqual(await shop.call("add", "2", "3"), { status: 0, out: "5\n", err: "" });
  },

  "answers callers that leave out an optional parameter": async (shop) => {
    assert.deepEqual(await shop.call("add", "2"), { status: 0, out: "12\n", err: "" });
    const { status, err } = await shop.call("add");
    assert.equal(status, 1);
    assert.match(err, /^IncorrectSignature: .*missing 1 required positional argument: 'a'/);
  },

  "answers HTTP": async (_shop, url) => {
    const response = await fetch(`${url}/orders/7`);
    assert.deepEqual(await response.json(), { id: 7 });
  },

  "is healthy and ready": async (_shop, url) => {
    for (const path of ["/healthz", "/readyz"]) {
      const response = await fetch(url + path);
      assert.equal(response.status, 200);
      await response.body?.cancel();
    }
  },

  "fires timers": async ({ program }) => {
    await program.says(/ticked[^]*ticked/);
  },

  "handles the events of another process": async (shop) => {
    assert.equal((await shop.emit("placed", 8)).status, 0);
    await shop.program.says("handled order 8");
  },

  "dispatches events": async (shop) => {
    assert.equal((await shop.call("place", "9")).status, 0);
    await shop.program.says("handled order 9");
  },

  "denies what is not permitted": async (shop) => {
    const { status, err } = await shop.call("home");
    assert.equal(status, 1);
    assert.match(err, /^NotCapable: .*--allow-env=HOME/);
  },

  "answers with what a handler throws": async (shop) => {
    assert.deepEqual(await shop.call("fail"), {
      status: 1,
      out: "",
      err: 'SoldOutError: nothing left\ndata: {"sku":7}\n',
    });
  },

  "logs the service's own file and line": async ({ program }) => {
    await program.says(/\/e2e\/shop_service\.ts:25:\d+/);
  },

  "survives a handler that ends its thread": async (shop) => {
    const { status, err } = await shop.call("leave");
    assert.equal(status, 1);
    assert.match(err, /Deno\.exit\(9\)/);
    assert.equal((await shop.call("add", "2", "3")).out, "5\n");
  },

  "stops a handler that spins beyond its time": async (shop) => {
    const { status, err } = await shop.call("spin");
    assert.equal(status, 3);
    assert.match(err, /300 ms/);
    assert.equal((await shop.call("add", "2", "3")).out, "5\n");
    await shop.program.says("a call did not end 250 ms after its time was up");
  },

  "finishes the call that runs, then ends with 0 at SIGTERM": async (shop) => {
    const call = shop.call("linger");
    await shop.program.says("lingering");
    shop.program.kill("SIGTERM");
    const { status, out, err } = await shop.program.end();
    assert.deepEqual({ status, out }, { status: 0, out: "" });
    assert.match(err, /waiting for 1 call that still runs[^]*\nStopped\n$/);
    assert.deepEqual(await call, { status: 0, out: '"done"\n', err: "" });
  },
};

/** Registers the laws for a launcher; one shop is served for all of them, and the last one stops it. */
export function servingLaws(launcher: Launcher): void {
  Deno.test(`${launcher.name} serves a shop that`, async (test) => {
    const folder = await Deno.makeTempDir({ prefix: "enoki-e2e-" });
    try {
      await using shop = new ServedShop(launcher, `local://${folder}/broker.sock`);
      const url = await shop.ready();
      for (const [law, check] of Object.entries(LAWS)) await test.step(law, () => check(shop, url));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  for (const flags of [[], ["-A"]]) {
    Deno.test({
      name: `${[launcher.name, ...flags].join(" ")} serves a shop over RabbitMQ`,
      ignore: BROKER === undefined,
      fn: async () => {
        await using shop = new ServedShop(launcher, BROKER!, ...flags);
        await shop.ready();
        assert.deepEqual(await shop.call("add", "2", "3"), { status: 0, out: "5\n", err: "" });
      },
    });
  }
}

const BROKER = await brokerUri();
