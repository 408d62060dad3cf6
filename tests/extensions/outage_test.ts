import assert from "node:assert/strict";
import { connect, run } from "../../extensions/run.ts";
import type greeting from "../../examples/greeting/service.ts";
import { PrivateRabbitmq } from "../fixtures/private_rabbitmq.ts";

const GREETING = new URL("../../examples/greeting/service.ts", import.meta.url);

/** Calls that must have been answered before the broker dies, and after it is back. */
const ENOUGH = 500;

Deno.test({
  name: "connect() gets every answer, and the right one, though the broker dies and returns meanwhile",
  ignore: !await PrivateRabbitmq.isInstalled(),
  async fn() {
    await using node = await PrivateRabbitmq.open();
    await using _running = await run([GREETING], { broker: node.uri });
    await using cluster = await connect({ broker: node.uri, timeout: 60_000 });
    const client = cluster.client<typeof greeting>("greeting_service");
    let answered = 0;
    let stopped = false;
    let wake = () => {};
    const callers = Promise.all(Array.from({ length: 10 }, async (_, caller) => {
      for (let count = 0; !stopped; count++) {
        assert.equal(await client.hello(`${caller}.${count}`), `Hello, ${caller}.${count}!`);
        answered++;
        wake();
      }
    }));
    const reach = async (count: number) => {
      while (answered < count) {
        await Promise.race([callers, new Promise<void>((resolve) => wake = resolve)]);
      }
    };
    await reach(ENOUGH);
    await node.kill();
    await node.start();
    await reach(answered + ENOUGH);
    stopped = true;
    await callers;
  },
});
