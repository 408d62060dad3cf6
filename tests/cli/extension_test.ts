import assert from "node:assert/strict";
import { withExtensions } from "../../extensions/cli/flags/extension_flags.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";
import { Command, enoki, RUNTIME, withBroker } from "./command.ts";

const ONCE = new URL("../fixtures/extensions/once.ts", import.meta.url).pathname;

Deno.test("withExtensions() adds to what the configuration names", () => {
  assert.deepEqual(withExtensions({ extensions: ["a.ts"] }, ["b.ts", "a.ts"]), {
    extensions: ["a.ts", "b.ts"],
  });
  assert.deepEqual(withExtensions({ extensions: ["a.ts"] }), { extensions: ["a.ts"] });
});

Deno.test("enoki run and call reach a broker through the extension that --extension names", () =>
  withBroker(async (address) => {
    const broker = address.replace("local:", "nest:");
    const serving = new Command(["run", "--extension", ONCE, "--broker", broker, servicePath("once.ts")]);
    await serving.says("was greeted with hello");
    await serving.says("Ready on");
    const { status, out, err } = await enoki([
      ...["call", "--define", `extensions=[${ONCE}]`, "--broker", broker],
      ...["enoki_test_once.echo", "hello"],
    ]);
    assert.equal(status, 0, err);
    assert.equal(out, '"hello"\n');
    const { err: emitted } = await enoki([
      "emit",
      "--extension",
      ONCE,
      "--broker",
      broker,
      "somebody",
      "left",
    ]);
    assert.match(emitted, /^Cannot .*somebody\.events/);
    serving.signal("SIGTERM");
    assert.equal((await serving.ended).status, 0);
  }));

Deno.test("enoki says how to name the extension that has the scheme of a broker", async () => {
  const { status, err } = await enoki(["call", "--broker", "nest:x", "enoki_test_once.echo", "hello"]);
  assert.equal(status, 2);
  assert.match(
    err,
    /^Cannot use broker "nest:x": its kind is not known\. Use .*, or name the extension .*--extension/,
  );
});

Deno.test("enoki suggests the scheme of an extension", async () => {
  const broker = ["call", "--extension", ONCE, "--broker", "nset://somewhere"];
  const { status, err } = await enoki([...broker, "enoki_test_once.echo", "hello"]);
  assert.equal(status, 2);
  assert.match(err, /with --extension\. Did you mean nest:\/\/somewhere\?\n$/);
});

Deno.test("enoki run says where an extension has thrown while it was loaded", async () => {
  const module = servicePath("throws_at_top.ts");
  const { status, err } = await enoki(["run", "--extension", module, servicePath("once.ts")]);
  assert.equal(status, 2);
  assert.match(
    err,
    /^Cannot load extension .*: RangeError: no such ledger\n +at open \(.*throws_at_top\.ts:2:9\)\n/,
  );
  assert.ok(!err.includes(RUNTIME), err);
});

Deno.test("enoki run names an extension that does not load", async () => {
  const { status, err } = await enoki(["run", "--extension", "./missing.ts", servicePath("once.ts")]);
  assert.equal(status, 2);
  assert.match(err, /^Cannot load module file:.*\/missing\.ts: /m);
});
