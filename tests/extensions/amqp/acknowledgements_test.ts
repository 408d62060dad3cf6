import assert from "node:assert/strict";
import { Acknowledgements } from "../../../extensions/amqp/acknowledgements.ts";
import type { Verdict } from "../../../runtime/message/transport.ts";

/**
 * What RabbitMQ does with the verdicts of one channel: keeps the open tags, and refuses one that is not open.
 */
class UnackedTags {
  readonly frames: string[] = [];
  readonly settled = new Map<number, Verdict>();
  #delivered = 0;

  deliver(count: number): void {
    this.#delivered += count;
  }

  readonly ack = (
    { fields: { deliveryTag } }: { fields: { deliveryTag: number } },
    multiple = false,
  ): void => {
    this.frames.push(multiple ? `ack ..${deliveryTag}` : `ack ${deliveryTag}`);
    this.#settle(deliveryTag, "ack");
    if (!multiple) return;
    for (let tag = 1; tag < deliveryTag; tag++) if (!this.settled.has(tag)) this.#settle(tag, "ack");
  };

  readonly reject = (
    { fields: { deliveryTag } }: { fields: { deliveryTag: number } },
    requeue = true,
  ): void => {
    this.frames.push(`${requeue ? "requeue" : "reject"} ${deliveryTag}`);
    this.#settle(deliveryTag, requeue ? "requeue" : "reject");
  };

  #settle(tag: number, verdict: Verdict): void {
    assert.ok(tag >= 1 && tag <= this.#delivered && !this.settled.has(tag), `unknown delivery tag ${tag}`);
    this.settled.set(tag, verdict);
  }
}

function channelWith(deliveries: number): { tags: UnackedTags; acknowledgements: Acknowledgements } {
  const tags = new UnackedTags();
  tags.deliver(deliveries);
  return { tags, acknowledgements: new Acknowledgements(tags) };
}

function frames(ticks: readonly (readonly [number, Verdict])[][], deliveries: number): string[] {
  const { tags, acknowledgements } = channelWith(deliveries);
  for (const tick of ticks) {
    for (const [tag, verdict] of tick) acknowledgements.settle(tag, verdict);
    acknowledgements.flush();
  }
  return tags.frames;
}

Deno.test("Acknowledgements.flush() merges a run into one frame", () => {
  assert.deepEqual(frames([[[2, "ack"], [1, "ack"], [3, "ack"]]], 3), ["ack ..3"]);
});

Deno.test("Acknowledgements.flush() never covers a delivery that is open", () => {
  assert.deepEqual(frames([[[2, "ack"], [3, "ack"]]], 3), ["ack 2", "ack 3"]);
});

Deno.test("Acknowledgements.flush() merges over what it has sent by itself", () => {
  assert.deepEqual(frames([[[2, "ack"]], [[1, "ack"], [3, "ack"]]], 3), ["ack 2", "ack ..3"]);
});

Deno.test("Acknowledgements.flush() sends other verdicts before the run that spans them", () => {
  assert.deepEqual(
    frames([[[1, "ack"], [2, "reject"], [3, "ack"], [4, "requeue"]]], 4),
    ["reject 2", "requeue 4", "ack ..3"],
  );
});

Deno.test("Acknowledgements.flush() names a single delivery where only one is acknowledged", () => {
  assert.deepEqual(frames([[[1, "reject"], [2, "ack"]]], 2), ["reject 1", "ack 2"]);
});

Deno.test("Acknowledgements.flush() sends each verdict exactly once, whatever their order", () => {
  const verdicts: Verdict[] = ["ack", "ack", "ack", "requeue", "reject"];
  let seed = 42;
  const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  for (let round = 0; round < 200; round++) {
    const { tags, acknowledgements } = channelWith(0);
    const open: number[] = [];
    const given = new Map<number, Verdict>();
    for (let tag = 1; tag <= 60 || open.length > 0;) {
      if (tag <= 60 && open.length < 12 && random(2) === 0) {
        tags.deliver(1);
        open.push(tag++);
      } else if (open.length > 0) {
        const [settled] = open.splice(random(open.length), 1);
        const verdict = verdicts[random(verdicts.length)]!;
        given.set(settled!, verdict);
        acknowledgements.settle(settled!, verdict);
      }
      if (random(4) === 0) {
        acknowledgements.flush();
        assert.deepEqual(new Map([...tags.settled].sort()), new Map([...given].sort()));
      }
    }
    acknowledgements.flush();
    assert.equal(tags.settled.size, 60);
  }
});

Deno.test("Acknowledgements.close() voids what was not sent", () => {
  const { tags, acknowledgements } = channelWith(2);
  acknowledgements.settle(1, "ack");
  acknowledgements.close();
  acknowledgements.settle(2, "ack");
  acknowledgements.flush();
  assert.deepEqual(tags.frames, []);
});

Deno.test("Acknowledgements.settle() sends by itself before the next turn of the event loop", async () => {
  const { tags, acknowledgements } = channelWith(1);
  acknowledgements.settle(1, "ack");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(tags.frames, ["ack 1"]);
});
