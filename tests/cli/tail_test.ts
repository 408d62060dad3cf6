import assert from "node:assert/strict";
import { Command, enoki, SERVICES, withBroker, withService } from "./command.ts";

const MANAGED = ["--define", "control={manage: true}"];

/** Calls a service whose handler logs, while the log is followed, and returns what was printed of it. */
async function followed(broker: string, argv: readonly string[], until: string): Promise<string> {
  const tail = new Command(["tail", "--broker", broker, ...argv]);
  await tail.says("following its log");
  const shown = tail.draws(until);
  await enoki(["call", "--broker", broker, "enoki_test_talkative.talk", "1"]);
  await shown;
  tail.signal("SIGINT");
  const { status, out } = await tail.ended;
  assert.deepEqual([status, tail.listeners], [0, 0]);
  return out;
}

Deno.test("enoki tail prints the lines of services until a signal, with the instance before each", () =>
  withService(`${SERVICES}talkative.ts`, async (broker) => {
    const argv = ["--level", "debug", "enoki_test_talkative"];
    const out = await followed(broker, argv, "the end");
    const [detail, fact, end] = out.split("\n").filter((line) => /a detail|a fact|the end/.test(line));
    assert.match(detail!, /^[\da-f]{8} [\d:.]+ debug {3}enoki_test_talkative a detail trace=[\da-f]{32} /);
    assert.match(fact!, / info {4}enoki_test_talkative a fact /);
    assert.match(end!, / warning enoki_test_talkative the end /);
    const lines = await followed(broker, ["--json"], "the end");
    const last = lines.trimEnd().split("\n").map((line) => JSON.parse(line))
      .find(({ message }) => message === "the end");
    assert.deepEqual([last.level, last.service, last.method], ["warning", "enoki_test_talkative", "talk"]);
    assert.match(last.instance, /^[\da-f-]{36}$/);
  }, MANAGED));

Deno.test("enoki tail says plainly that it may not show a lower level than the log itself", () =>
  withService(`${SERVICES}talkative.ts`, async (broker) => {
    const tail = new Command(["tail", "--level", "debug", "--broker", broker]);
    await tail.says(
      "following its log, which begins at level warning. Records of level debug come only with control: { manage: true }",
    );
    tail.signal("SIGTERM");
    assert.equal((await tail.ended).status, 0);
  }));

Deno.test("enoki tail waits where nothing answers, and says so", () =>
  withBroker(async (broker) => {
    const tail = new Command(["tail", "--broker", broker]);
    await tail.says("No process answers at local:");
    tail.signal("SIGINT");
    const { status, out } = await tail.ended;
    assert.deepEqual([status, out], [0, ""]);
  }));
