import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ControlClient } from "../../../extensions/control/control_client.ts";
import {
  type InspectedThread,
  inspectionResponders,
  inspectThread,
} from "../../../extensions/control/inspection.ts";
import { Inspections } from "../../../runtime/channel/inspections.ts";
import { createThreadChannel, openThreadChannel } from "../../../runtime/channel/thread_channel.ts";
import { Inspection } from "../../../runtime/thread/inspection.ts";
import { BROKERS, isMissing } from "../../fixtures/brokers.ts";
import { openHost } from "./stage.ts";

const SERVICE = "enoki_test_inspected";

/** A thread that gives its number in each of its pieces. */
class NumberedThread implements InspectedThread {
  readonly name: string;
  readonly assigned: number;
  readonly heardAt = 0;
  taken = 0;

  constructor(name: string, assigned: number) {
    this.name = name;
    this.assigned = assigned;
  }

  async *take(): AsyncGenerator<Uint8Array> {
    for (; this.taken < 60; this.taken++) {
      await nextTurn();
      yield new Uint8Array(256 * 1024).fill(this.taken);
    }
  }
}

for (const kind of Object.keys(BROKERS)) {
  Deno.test({
    name:
      `inspectThread() yields all bytes of the busiest thread, which runs ahead only by a little (${kind})`,
    ignore: isMissing(kind),
    async fn() {
      await using broker = await BROKERS[kind]!();
      await using serving = await broker.transport();
      await using asking = await broker.transport();
      const threads = [new NumberedThread("a#1", 1), new NumberedThread("a#2", 7)];
      await using host = await openHost(serving, {
        responders: new Map(inspectionResponders(() => threads)),
        services: () => [SERVICE],
        manage: true,
      });
      await using client = new ControlClient(asking);
      const begun: string[] = [];
      let count = 0;
      let ahead = 0;
      const bytes = inspectThread(client, {
        service: SERVICE,
        instance: host.instance,
        what: "heap",
        onBegin: (thread) => begun.push(thread),
      });
      for await (const piece of bytes) {
        ahead = Math.max(ahead, threads[1]!.taken - count);
        assert.ok(piece.length === 256 * 1024 && piece[0] === count && piece.at(-1) === count);
        count++;
      }
      assert.deepEqual([count, begun, threads[0]!.taken], [60, ["a#2"], 0]);
      assert.ok(ahead <= 8, `${ahead} pieces ahead`);
    },
  });
}

Deno.test("inspectThread() says why an instance gives nothing", async () => {
  await using broker = await BROKERS["memory"]!();
  await using transport = await broker.transport();
  const responders = new Map(inspectionResponders(() => [new NumberedThread("a#1", 1)]));
  const options = { responders, services: () => [SERVICE] };
  await using open = await openHost(transport, { ...options, manage: true });
  await using locked = await openHost(transport, options);
  await using client = new ControlClient(transport);
  const take = (instance: string, more: object = {}) =>
    Array.fromAsync(inspectThread(client, { service: SERVICE, instance, what: "heap", ...more }));
  await assert.rejects(take(locked.instance), /control: \{ manage: true \}/);
  await assert.rejects(take(open.instance, { thread: "b#1" }), /no thread "b#1" here, only \[a#1\]/);
  await assert.rejects(take(open.instance, { seconds: 601 }), /a profile takes from 0 to 600 seconds/);
  await assert.rejects(take(open.instance, { what: "memory" }), /choose profile or heap/);
});

Deno.test("Inspections gives what the thread gives, one inspection at a time, and ends with the thread", async () => {
  const { host, thread } = createThreadChannel();
  const port = openThreadChannel(thread);
  const inspection = new Inspection((answer) => port.postMessage(answer));
  port.onmessage = ({ data }) => void (data.type === "inspect" && inspection.take(data));
  const inspections = new Inspections(host);
  host.onmessage = ({ data }) => void (data.type === "inspected" && inspections.receive(data));
  try {
    const { signal } = new AbortController();
    const first = inspections.take("profile", { duration: 10, signal });
    const begun = await first.next();
    await assert.rejects(
      inspections.take("heap", { duration: 10, signal }).next(),
      /the thread is inspected already/,
    );
    const rest = await Array.fromAsync(first);
    const text = new TextDecoder().decode(
      await new Blob([begun.value!, ...rest] as BlobPart[]).arrayBuffer(),
    );
    assert.ok(JSON.parse(text).nodes.length > 0);
    const stop = new AbortController();
    const aborted = inspections.take("profile", { duration: 600_000, signal: stop.signal }).next();
    stop.abort(new Error("enough"));
    await assert.rejects(aborted, /enough/);
    const lost = inspections.take("profile", { duration: 600_000, signal }).next();
    inspections.end();
    await assert.rejects(lost, /it is gone/);
    for (
      const message of [
        { id: "1" },
        { id: 99 },
        { id: 1, piece: "text" },
        { id: 1, piece: new Uint8Array(256 * 1024 + 1) },
        { id: 1, failure: {} },
      ]
    ) assert.equal(inspections.receive({ type: "inspected", ...message } as never), false);
    inspection.take({ type: "inspect", id: 1, step: "cancel", duration: 0 });
    await nextTurn();
  } finally {
    host.close();
    port.close();
  }
});
