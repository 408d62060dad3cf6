import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, run } from "../../extensions/run.ts";
import { Child } from "../fixtures/child.ts";
import { TestFolder } from "../fixtures/module_origin.ts";
import { answerTo, enoki, GREETING, SERVICES, withBroker, withService } from "./command.ts";

const PAYMENTS = `${SERVICES}described_payments.ts`;
const ROOT = new URL("../../", import.meta.url).href;

/** What the contract imports: all of Enoki would take the compiler long. */
const ENOKI = `export { contract } from "${ROOT}runtime/service/service.ts";
export { rpc } from "${ROOT}extensions/rpc/rpc.ts";
export { dispatcher } from "${ROOT}extensions/events/dispatcher.ts";
`;

/** A program that the compiler has no objection to, if the contract has the types of the service. */
const PROGRAM = `import type { Client } from "${ROOT}extensions/rpc/client.ts";
import type { EventPayload } from "${ROOT}extensions/events/event_source.ts";
import payments, { type Money, type Receipt } from "./payments.ts";

export async function use(client: Client<typeof payments>): Promise<unknown> {
  const total: Money = { amount: 5, currency: "EUR" };
  const receipt: Receipt = await client.charge(total);
  const all: Receipt[] = await client.receipts();
  const plain: unknown = await client.plain({}, { limit: 3 });
  return [receipt, all, plain];
}
export const charged = (receipt: EventPayload<typeof payments, "charged">): string => receipt.total.currency;
export const mistakes = [
  // @ts-expect-error -- there is no such event
  (payload: EventPayload<typeof payments, "sold">) => payload.total,
  // @ts-expect-error -- there is no such currency
  (client: Client<typeof payments>) => client.charge({ amount: 5, currency: "DM" }, "note"),
  // @ts-expect-error -- the handler has a default for the amount, but its schema takes nothing else than a number
  (client: Client<typeof payments>) => client.refund("r1"),
  // @ts-expect-error -- the limit is required
  (client: Client<typeof payments>) => client.plain({}, { page: 1 }),
];
`;

Deno.test("enoki client writes a contract of a service that runs, with which programs type check and call it", () =>
  withService(PAYMENTS, async (broker) => {
    await using folder = new TestFolder();
    const output = folder.file("payments.ts");
    const argv = ["client", "payments", "--broker", broker, "--from", "./enoki.ts"];
    await answerTo(broker);
    const { status, out, err } = await enoki([...argv, "-o", output]);
    assert.deepEqual([status, out], [0, ""]);
    assert.match(err, /^Wrote .*payments\.ts$/m);
    const source = await Deno.readTextFile(output);
    assert.match(source, /^export interface Receipt \{$/m);
    assert.match(source, /^ +\* Charges a customer\.\n +\* It never charges twice\.$/m);
    assert.match(source, /^ +\* @param _note What the bank shows\.\n +\* @throws \{CardDeclined\}$/m);
    assert.match(source, /^ +charged: Receipt;\n +"refund\.done": string;$/m);
    assert.doesNotMatch(source, /settled/);
    const program = folder.file("program.ts");
    await Deno.writeTextFile(program, PROGRAM);
    await Deno.writeTextFile(folder.file("enoki.ts"), ENOKI);
    for (const words of [["check", "--quiet", program], ["fmt", "--check", output], ["lint", output]]) {
      await using child = new Child(Deno.execPath(), words, { env: { NO_COLOR: "1" } });
      const { code, err } = await child.ended();
      assert.equal(code, 0, err);
    }
    await using cluster = await connect({ broker });
    const { default: contract } = await import(new URL(`file://${output}`).href);
    const { use } = await import(new URL(`file://${program}`).href);
    assert.deepEqual(await use(cluster.client(contract)), [
      { id: "r1", total: { amount: 5, currency: "EUR" }, refunds: [] },
      [],
      [{}, 3, 1],
    ]);
    const { out: fromModule } = await enoki(["client", PAYMENTS, "-A", "--from", "./enoki.ts"]);
    assert.equal(fromModule, source);
    assert.match((await enoki([...argv, "-o", output])).err, /^Nothing has changed in .*payments\.ts$/m);
  }));

Deno.test("enoki client overwrites what it has generated, and nothing else unless it is forced", async () => {
  await using folder = new TestFolder();
  const output = folder.file("greeting.ts");
  const argv = ["client", GREETING, "-o", output];
  await Deno.writeTextFile(output, "export const mine = 1;\n");
  assert.deepEqual(await enoki(argv), {
    status: 2,
    out: "",
    err: `Cannot write ${output}: the file is there, and Enoki has not generated it. ` +
      "Name another one, or pass --force\n",
  });
  assert.equal(await Deno.readTextFile(output), "export const mine = 1;\n");
  assert.equal((await enoki([...argv, "--force"])).err, `Wrote ${output}\n`);
  assert.match(await Deno.readTextFile(output), /hello: rpc<\(name: unknown\) => Promise<unknown>>\(\)/);
  assert.equal((await enoki([...argv, "--from", "jsr:@enoki/enoki"])).err, `Wrote ${output}\n`);
});

/** What is wrong, the words behind `client`, and what the message says. */
const MISTAKES: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    "a module has several services",
    [`${SERVICES}two_services.ts`],
    /^Cannot write one contract of .*: it exports orders, stock\. Name one, as in .*two_services\.ts:orders\n$/,
  ],
  [
    "the service has no method",
    [`${SERVICES}ambiguous_routes.ts`],
    /^Cannot write the contract of "orders": it has no method that could be called\n$/,
  ],
  [
    "there is no such folder",
    [GREETING, "-o", "/nowhere/greeting.ts"],
    /^Cannot write \/nowhere\/greeting\.ts: there is no such folder\n$/,
  ],
];

for (const [state, argv, err] of MISTAKES) {
  Deno.test(`enoki client ends with 2 where ${state}`, async () => {
    const ended = await enoki(["client", ...argv]);
    assert.deepEqual([ended.status, ended.out], [2, ""]);
    assert.match(ended.err, err);
  });
}

Deno.test("enoki client ends with 3 where the service does not run, and says what Python's Nameko cannot", () =>
  withBroker(async (broker) => {
    const { status, err } = await enoki(["client", "payments", "--broker", broker]);
    assert.equal(status, 3);
    assert.match(
      err,
      /^Cannot describe "payments": no process .* Python's Nameko cannot describe themselves\n$/,
    );
  }));

Deno.test("a service that has stopped does not describe itself, and says so", async () => {
  await using running = await run([GREETING], { broker: memory({ broker: new MemoryBroker() }) });
  const container = running.containers.get("greeting_service")!;
  const { entrypoints: [hello] } = await container.describe();
  assert.deepEqual(hello!.details, { parameters: [{ name: "name", optional: false, rest: false }] });
  await container.stop();
  await assert.rejects(container.describe(), /none of its threads is ready/);
});
