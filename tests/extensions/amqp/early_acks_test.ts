import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Acknowledgements } from "../../../extensions/amqp/acknowledgements.ts";
import { AckProof } from "../../../extensions/amqp/ack_proof.ts";
import { EarlyAcks } from "../../../extensions/amqp/early_acks.ts";
import type { Delivery, Verdict } from "../../../runtime/message/transport.ts";

/** What RabbitMQ does with one channel: it answers questions when the test says so. */
class BrokerSide {
  readonly frames: string[] = [];
  readonly #questions: PromiseWithResolvers<void>[] = [];

  readonly ack = ({ fields }: { fields: { deliveryTag: number } }): void =>
    void this.frames.push(`ack ${fields.deliveryTag}`);

  readonly reject = ({ fields }: { fields: { deliveryTag: number } }): void =>
    void this.frames.push(`requeue ${fields.deliveryTag}`);

  readonly prefetch = (): Promise<never> => {
    const question = Promise.withResolvers<void>();
    this.#questions.push(question);
    this.frames.push("question");
    return question.promise as Promise<never>;
  };

  async answer(): Promise<void> {
    this.#questions.shift()!.resolve();
    await setImmediate();
  }

  async close(): Promise<void> {
    this.#questions.shift()!.reject(new Error("the channel has closed"));
    await setImmediate();
  }
}

/** A consumer with `noAck` whose receiver waits for the test. */
class Stage {
  readonly side = new BrokerSide();
  readonly acknowledgements = new Acknowledgements(this.side);
  readonly proof = new AckProof(this.side, this.acknowledgements);
  readonly tag = { open: 0, prefetch: 2 };
  readonly received: { readonly text: string; readonly settle: (verdict: Verdict) => void }[] = [];
  readonly early: EarlyAcks;
  ended = 0;
  #delivered = 0;

  constructor(limit: number) {
    const receiver = ({ routingKey }: Delivery) => {
      const { promise, resolve } = Promise.withResolvers<Verdict>();
      this.received.push({ text: routingKey, settle: resolve });
      return promise;
    };
    this.early = new EarlyAcks(receiver, limit, () => this.ended++);
  }

  async deliver(...texts: readonly string[]): Promise<void> {
    for (const routingKey of texts) {
      this.tag.open++;
      const delivery = { routingKey } as Delivery;
      this.early.add({ delivery, deliveryTag: ++this.#delivered, tag: this.tag, proof: this.proof });
    }
    await setImmediate();
  }

  get texts(): readonly string[] {
    return this.received.map(({ text }) => text);
  }
}

Deno.test("EarlyAcks hands a delivery over when the broker has answered a question after its ack", async () => {
  const stage = new Stage(2);
  await stage.deliver("a");
  assert.deepEqual([stage.side.frames, stage.texts], [["ack 1", "question"], []]);
  await stage.side.answer();
  assert.deepEqual(stage.texts, ["a"]);
});

Deno.test("EarlyAcks asks one question for all that waits meanwhile", async () => {
  const stage = new Stage(9);
  await stage.deliver("a");
  await stage.deliver("b", "c");
  await stage.side.answer();
  assert.deepEqual(stage.texts, ["a"]);
  await stage.side.answer();
  assert.deepEqual(stage.texts, ["a", "b", "c"]);
  assert.equal(stage.side.frames.filter((frame) => frame === "question").length, 2);
});

Deno.test("EarlyAcks keeps a delivery for whose ack there is no proof, and goes on", async () => {
  const stage = new Stage(1);
  await stage.deliver("a", "b");
  await stage.side.close();
  await stage.side.answer();
  assert.deepEqual(stage.texts, ["b"]);
  assert.equal(stage.ended, 1);
});

Deno.test("EarlyAcks leaves unacknowledged what its receiver has no room for", async () => {
  const stage = new Stage(1);
  await stage.deliver("a", "b", "c");
  await stage.side.answer();
  assert.deepEqual([stage.texts, stage.tag.open], [["a"], 2]);
  stage.received[0]!.settle("ack");
  await setImmediate();
  await stage.side.answer();
  assert.deepEqual([stage.texts, stage.tag.open], [["a", "b"], 1]);
  stage.early.setLimit(2);
  await setImmediate();
  await stage.side.answer();
  assert.deepEqual([stage.texts, stage.tag.open], [["a", "b", "c"], 0]);
});

Deno.test("EarlyAcks gives back what its receiver has not got", async () => {
  const stage = new Stage(1);
  await stage.deliver("a", "b", "c");
  stage.early.giveBack();
  await setImmediate();
  assert.deepEqual(stage.side.frames.slice(2), ["requeue 2", "requeue 3"]);
  assert.equal(stage.ended, 2);
});

Deno.test("EarlyAcks forgets what has gone back with its channel, and no more", async () => {
  const stage = new Stage(1);
  await stage.deliver("a", "b");
  const side = new BrokerSide();
  stage.early.drop(new AckProof(side, new Acknowledgements(side)));
  assert.equal(stage.ended, 0);
  stage.early.drop(stage.proof);
  assert.equal(stage.ended, 1);
  await stage.side.answer();
  stage.received[0]!.settle("ack");
  await setImmediate();
  assert.deepEqual(stage.texts, ["a"]);
});
