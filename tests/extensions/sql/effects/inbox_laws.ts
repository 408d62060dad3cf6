import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { deadLetterQueueOf } from "../../../../runtime/hosting/message_fate.ts";
import { type EffectsStage, eventually } from "./effects_stage.ts";

const PLACED = "evt-enoki_test_effects_shop-placed--enoki_test_effects_stock.placed";

/** The laws of an inbox. */
export async function keepInboxLaws(test: Deno.TestContext, stage: EffectsStage): Promise<void> {
  const { heard, database, transport } = stage;
  const send = (
    id: number,
    more: object = {},
    messageId: string | undefined = `m${id}`,
    routingKey = "placed",
  ) =>
    transport.publish({
      exchange: "enoki_test_effects_shop.events",
      routingKey,
      body: JSON.stringify({ id, ...more }),
      properties: { contentType: "application/json", ...(messageId !== "" && { messageId }) },
    });
  const noted = async (condition: string) =>
    (await database.run(`select id from enoki_inbox where ${condition}`)).length;
  await using running = await stage.serve("shop", "stock");
  await test.step("gives a message one effect that is delivered again", async () => {
    const before = heard.all.length;
    await stage.shop.place({ id: 1_000 });
    await stage.heardFrom(before, 1);
    await stage.effects(1_000);
    await stage.redeliver(heard.all.at(-1)!);
    await stage.redeliver(heard.all.at(-1)!);
    await eventually(
      "both are skipped",
      async () => await stage.number("enoki_messages_skipped_total") === 2,
    );
    deepStrictEqual(await stage.effects(1_000), ["placed"]);
  });
  await test.step("runs the retry of a handler that has failed, whose effect was rolled back", async () => {
    await send(1_010, { failing: 2 });
    deepStrictEqual(await stage.effects(1_010), ["placed"]);
    await send(1_010, { failing: 2 });
    await eventually("it is skipped", async () => await stage.number("enoki_messages_skipped_total") === 3);
    deepStrictEqual(await stage.effects(1_010), ["placed"]);
  });
  await test.step("makes the second of two deliveries at a time wait for the first, and skips it", async () => {
    const gate = stage.newGate();
    await send(1_020, { gate });
    await send(1_020, { gate });
    await eventually("both run", () => Promise.resolve(runningCalls(running) === 2));
    strictEqual(await noted("id = 'm1020'"), 0, "the first one is not committed yet");
    await Deno.writeTextFile(gate, "");
    await stage.effects(1_020);
    await eventually("both are done", () => Promise.resolve(runningCalls(running) === 0));
    deepStrictEqual(await stage.effects(1_020), ["placed"]);
  });
  await test.step("tells messages apart by what `by` gives, and forgets them after `for`", async () => {
    await stage.shop.sendBy({ id: 1_030 });
    await stage.effects(1_030);
    strictEqual(await noted("id = '1030'"), 1);
    await stage.shop.sendBy({ id: 1_030 });
    await stage.shop.sendBy({ id: 1_031 });
    await stage.effects(1_031);
    deepStrictEqual(await stage.effects(1_030), ["by"]);
    await eventually("it is forgotten", async () => await noted("id = '1030'") === 0);
    await stage.shop.sendBy({ id: 1_030 });
    deepStrictEqual(await stage.effects(1_030, 2), ["by", "by"]);
  });
  await test.step("buries a message without an id", async () => {
    await send(1_040, {}, "");
    await eventually(
      "it is buried",
      async () => await transport.countMessages(deadLetterQueueOf(PLACED)) === 1,
    );
    deepStrictEqual(await database.run("select id from effects where id = 1040"), []);
  });
  await test.step("lets no unit of work pass the inbox", async () => {
    await send(1_050, {}, "unit", "odd.one");
    await eventually("it has failed", () => Promise.resolve(runningCalls(running) === 0));
    strictEqual(await noted("id = 'unit'"), 0);
    deepStrictEqual(await database.run("select id from effects where way = 'unit'"), []);
  });
}

function runningCalls(
  running: { readonly containers: ReadonlyMap<string, { readonly running: readonly unknown[] }> },
): number {
  return running.containers.get("enoki_test_effects_stock")!.running.length;
}
