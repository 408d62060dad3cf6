import { deepStrictEqual, ok, rejects, throws } from "node:assert/strict";
import { z } from "zod";
import { checkedConfig } from "../../../extensions/config/checked_config.ts";
import { config } from "../../../extensions/config/mod.ts";
import { connect, run } from "../../../extensions/run.ts";
import { resolveConfig } from "../../../runtime/config/config.ts";
import type { Config } from "../../../runtime/config/file.ts";
import type { StandardSchema } from "../../../runtime/service/standard_schema.ts";
import type { Injected } from "../../../runtime/service/service.ts";
import type { Equal, Expect } from "../../types/equality.ts";

const MODULE = new URL("../../fixtures/services/checked_config.ts", import.meta.url);

/** Reads a configuration from a file of this name. */
async function read(text: string, env: Readonly<Record<string, string>> = {}): Promise<Config> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-checked-" });
  const before = `${folder}/enoki.yaml`;
  try {
    await Deno.writeTextFile(before, text);
    return await resolveConfig({ file: before, env: new Map(Object.entries(env)), onRemark: () => {} });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The message of the error, in which files have no folders. */
async function messageOf(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(() => new Error("it did not fail"), (error: Error) => error);
  return error.message.replaceAll(/\/\S*\/enoki\.yaml/g, "enoki.yaml");
}

Deno.test("a schema types and converts what the service sees, and null counts as absent", async () => {
  const schema = z.object({ A: z.string(), B: z.number().default(2), C: z.object({ D: z.boolean() }) });
  const spec = config(schema);
  type _1 = Expect<Equal<Injected<typeof spec>, { A: string; B: number; C: { D: boolean } }>>;
  const given = await read("A: a\nB: ${B}\nC:\n  D: yes\nOTHER: 1\n");
  deepStrictEqual(await checkedConfig(schema, given), { A: "a", B: 2, C: { D: true } });
});

Deno.test("each wrong key is named with its file and line, and an absent one as such", async () => {
  const schema = z.object({ A: z.string(), B: z.object({ C: z.number() }), D: z.string(), E: z.string() });
  const given = await read("# comment\nA: 1\nB:\n  C: many\nD: ${VARIABLE}\n");
  deepStrictEqual((await messageOf(checkedConfig(schema, given))).split("\n"), [
    "Cannot use its configuration:",
    "  enoki.yaml:2: A: expected string, received number",
    "  enoki.yaml:4: B.C: expected number, received string",
    '  enoki.yaml:5: D: variable "VARIABLE" is not set. Set it, or name a default: ${VARIABLE:default}',
    "  E: it is not set: expected string, received undefined",
  ]);
});

Deno.test("a message shows no secret, whatever the schema says", async () => {
  const shows: StandardSchema<unknown, never> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => ({
        issues: [
          { message: `got ${JSON.stringify(value)}` },
          { message: "got 7", path: ["db_password"] },
          { message: "got amqp://ada:pass@h", path: ["uri"] },
        ],
      }),
    },
  };
  const given = await read("api_key: tops3cret\ndb_password: 7\nuri: amqp://ada:pass@h\n");
  const message = await messageOf(checkedConfig(shows, given));
  ok(!/tops3cret|pass@|got 7/.test(message), message);
});

Deno.test("config() refuses what is neither a key nor a schema", () => {
  throws(() => config({ A: "string" } as never), /give config\(\) a key, or a schema/);
});

Deno.test("a service whose configuration does not fit ends the start, with file and line, and one that fits is served", async () => {
  const wrong = await read(
    "CURRENCY: 5\nservices:\n  enoki_test_checked:\n    config:\n      STRIPE_KEY: 12345\n",
  );
  const failing = run([MODULE], { broker: "memory:", config: wrong });
  deepStrictEqual((await messageOf(failing)).split("\n"), [
    'Cannot set up service "enoki_test_checked": Cannot use its configuration:',
    "  enoki.yaml:1: CURRENCY: expected string, received ********",
    "  enoki.yaml:5: STRIPE_KEY: expected string, received ********",
  ]);
  await rejects(failing, { name: "ServiceLoadError" });
  const right = await read("CURRENCY: USD\nSTRIPE_KEY: ${KEY}\n", { KEY: "k" });
  await using running = await run([MODULE], { broker: "memory:", config: right });
  await using cluster = await connect({ broker: running.transport });
  deepStrictEqual(await cluster.client("enoki_test_checked")["show"]!(), {
    CURRENCY: "USD",
    STRIPE_KEY: "k",
    currency: "USD",
  });
});
