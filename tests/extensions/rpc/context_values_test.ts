import assert from "node:assert/strict";
import { connect, run } from "../../../extensions/run.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { BROKERS, isMissing } from "../../fixtures/brokers.ts";
import { type relay, SERVICE, type Values } from "../../fixtures/services/context_values.ts";

configureLogging({ write: () => {} });

const WHEN = new Date("2026-11-28T21:20:34.999Z");
const IN_SECONDS = new Date("2026-11-28T21:20:34Z");

for (const [kind, open] of Object.entries(BROKERS)) {
  Deno.test({
    name: `${kind}: dates and bytes in context data go through threads, and on to what they call`,
    ignore: isMissing(kind),
    async fn() {
      await using broker = await open();
      await using running = await run(
        [new URL("../../fixtures/services/context_values.ts", import.meta.url)],
        {
          broker: await broker.transport(),
          threads: { maxWorkers: 2 },
        },
      );
      await using cluster = await connect({ broker: await broker.transport() });
      assert.equal(running.containers.size, 1);
      const headers = { when: WHEN, bytes: new Uint8Array([0, 255]), inner: { list: [WHEN] } } as FieldTable;
      const client = cluster.client<typeof relay>(SERVICE, { headers });
      const expected: Values = {
        when: ["Date", IN_SECONDS.toISOString()],
        bytes: ["Uint8Array", "0,255"],
        inner: ["Date", IN_SECONDS.toISOString()],
      };
      assert.deepEqual(await client.values(), expected);
      assert.deepEqual(await client.relay(), expected);
      for (const wrong of [new Date(NaN), new Date(-1), new Map()]) {
        const refused = client.values.with({ headers: { wrong } as unknown as FieldTable });
        await assert.rejects(refused(), { name: "TypeError", message: /^Cannot carry header "wrong": / });
      }
    },
  });
}
