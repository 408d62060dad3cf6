/** What a service with a process of its own has of the configuration and of the broker, beside one with threads. */
import assert from "node:assert/strict";
import { brokerTest } from "../fixtures/broker.ts";
import { freePort } from "../fixtures/free_port.ts";
import { Command, enoki, SERVICES } from "./command.ts";

/** Serves two services by `enoki run` and a file, and resolves with what calls of one of them print. */
async function answersWith(
  isolation: string,
  uris: readonly string[],
  file: string,
): Promise<readonly string[]> {
  const own = {
    config: { OWN: 1 },
    config_keys: ["CURRENCY", "AMQP_URI"],
    broker: { publish: ["rpc-enoki_test_near"] },
  };
  const services = { enoki_test_informed: own, enoki_test_near: { config: { SECRET: 2 } } };
  const config = { AMQP_URI: uris, CURRENCY: "EUR", HIDDEN: 3, isolation, max_workers: 1, services };
  // JSON is YAML, too.
  await Deno.writeTextFile(file, JSON.stringify(config));
  const running = new Command(["run", "--config", file, `${SERVICES}informed.ts`]);
  await running.says("Ready on");
  const answers: string[] = [];
  for (const method of ["seen", "askNear", "askFar"]) {
    const { out, err } = await enoki(["call", "--config", file, `enoki_test_informed.${method}`]);
    answers.push(out || err.trimEnd().split("\n").at(-1)!);
  }
  running.signal("SIGTERM");
  const { status, err } = await running.ended;
  assert.equal(status, 0);
  assert.equal(err.includes("in a process of its own"), isolation === "process");
  return answers;
}

brokerTest(
  "a service has the same keys and rights at a list of brokers in a process of its own as in threads",
  async (uri) => {
    const uris = [`amqp://127.0.0.1:${freePort()}`, uri];
    const file = await Deno.makeTempFile({ prefix: "enoki-cli-", suffix: ".yaml" });
    try {
      for (const isolation of ["threads", "process"]) {
        const [seen, near, far] = await answersWith(isolation, uris, file);
        assert.deepEqual(JSON.parse(seen!), { CURRENCY: "EUR", OWN: 1 }, isolation);
        assert.equal(near, '"answer"\n', isolation);
        assert.match(far!, /"services\.enoki_test_informed\.broker\.publish" does not allow it/, isolation);
      }
    } finally {
      await Deno.remove(file);
    }
  },
);
