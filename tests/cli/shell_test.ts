import assert from "node:assert/strict";
import { local } from "../../extensions/local/mod.ts";
import { type Ended, enoki, SERVICES, withBroker, withService } from "./command.ts";

const MISBEHAVING = `${SERVICES}misbehaving.ts`;

/** Runs a script from stdin. */
function script(broker: string, input: string, ...flags: readonly string[]): Promise<Ended> {
  return enoki(["shell", "--broker", broker, ...flags], { input });
}

/** Scripts, and what each of them prints while the service is there. */
const PRINTED: readonly (readonly [law: string, script: string, out: string])[] = [
  ["prints the value of the last expression", "1; await n.rpc.misbehaving.echo(1, 2)", "[ 1, 2 ]\n"],
  ["awaits the value of the last expression", "n.rpc.misbehaving.echo('a')", '[ "a", null ]\n'],
  ["prints nothing for undefined", "const a = await n.rpc.misbehaving.echo(1);", ""],
  ["finds a service by index", 'n.rpc["misbehaving"]["echo"](1)', "[ 1, null ]\n"],
  ["sends keyword arguments", "n.rpc.misbehaving.echo.kwargs({ second: 2 }, 1)", "[ 1, 2 ]\n"],
  ["starts a call without waiting", "const p = n.rpc.misbehaving.echo.start(1); p.result()", "[ 1, null ]\n"],
  [
    "sends context data",
    "const { a, b } = await n.rpc.misbehaving.context.with({ headers: { b: 2 } })(); [a, b]",
    "[ 1, 2 ]\n",
  ],
  [
    "has the names that it has declared, and those of modules",
    'import { EOL as end } from "node:os";\nconst { a, ...b } = await f();\nasync function f() {' +
    "\n  return { a: 1, c: 2 };\n}\nclass D {}\n[a, b, end, new D()]",
    '[ 1, { c: 2 }, "\\n", D {} ]\n',
  ],
  [
    "shows what a client and the global are",
    "[n.rpc, n.rpc.misbehaving, n.rpc.misbehaving.echo, n]",
    `[
  n.rpc.<service>.<method>(…),
  n.rpc.misbehaving.<method>(…),
  n.rpc.misbehaving.echo(…),
  n { rpc, dispatch_event, dispatchEvent, config, services, disconnect }
]
`,
  ],
  [
    "lists the services that run, with their methods",
    "const { misbehaving } = await n.services; [misbehaving[0], misbehaving.length]",
    '[ "fail", 7 ]\n',
  ],
  [
    "escapes what others could write to the terminal",
    'n.rpc.misbehaving.echo("\\x1b[2J\\u202e", { "\\u202e\\x9b": 1 })',
    '[ "\\x1b[2J\\u202e", { "\\u202e\\x9b": 1 } ]\n',
  ],
];

/** Scripts that fail, with their status and what they say. */
const FAILED: readonly (readonly [law: string, script: string, status: number, err: RegExp])[] = [
  [
    "ends with 1 and the remote error where the method fails",
    "await n.rpc.misbehaving.fail(); 1",
    1,
    /^QuotaError: too many\ndata: {"limit":3}\n$/m,
  ],
  [
    "ends with 1 where a call fails that nobody awaits",
    "n.rpc.misbehaving.fail(); undefined",
    1,
    /^QuotaError: too many\ndata: {"limit":3}\n$/m,
  ],
  [
    "ends with 1 where the arguments do not fit",
    "n.rpc.misbehaving.echo(1, 2, 3)",
    1,
    /takes 1 to 2 arguments/,
  ],
  [
    "ends with 1 and the line where the script fails",
    "const a = 1;\n\nnull.b;\n",
    1,
    /^TypeError: Cannot read properties of null \(reading 'b'\) \(line 3\)\n$/,
  ],
  ["ends with 1 where the script throws what is no error", "throw 5", 1, /^Uncaught 5\n$/],
  [
    "leaves a call that waits where the script fails",
    "n.rpc.misbehaving.wait(); throw new Error('no')",
    1,
    /^Error: no\n$/,
  ],
  [
    "ends with 3 where nobody serves the service",
    "n.rpc.nobody.hello()",
    3,
    /^Cannot call service "nobody": nobody serves it\. .*\. Asked local:.*\n$/,
  ],
  [
    "ends with 3 where no answer comes in time",
    "n.rpc.misbehaving.wait.with({ timeout: 50 })()",
    3,
    /^Cannot call "misbehaving\.wait": no answer within 50 ms\. .*\n$/,
  ],
  [
    "ends with 3 where the event has no exchange",
    "n.dispatch_event('nobody', 'left', 1)",
    3,
    /^Cannot publish to exchange "nobody\.events": it does not exist/,
  ],
  [
    "ends with 3 once it is disconnected",
    "await n.disconnect(); n.rpc.misbehaving.echo(1)",
    3,
    /^Cannot call "misbehaving\.echo": the caller is closed\n$/,
  ],
];

Deno.test("a script of enoki shell", async (t) => {
  await withService(MISBEHAVING, async (broker) => {
    for (const [law, input, out] of PRINTED) {
      await t.step(law, async () => {
        assert.deepEqual(await script(broker, input, "--header", "a=1"), { status: 0, out, err: "" });
      });
    }
    for (const [law, input, status, err] of FAILED) {
      await t.step(law, async () => {
        const ended = await script(broker, input);
        assert.deepEqual({ ...ended, err: "" }, { status, out: "", err: "" });
        assert.match(ended.err, err);
      });
    }
    await t.step("waits as long for answers as --timeout says", async () => {
      const { status, err } = await script(broker, "n.rpc.misbehaving.wait()", "--timeout", "0.05");
      assert.equal(status, 3);
      assert.match(err, /no answer within 50 ms/);
    });
    await t.step("comes from --eval, too", async () => {
      const { out } = await enoki(["shell", "--broker", broker, "-e", "n.rpc.misbehaving.echo(7)"]);
      assert.equal(out, "[ 7, null ]\n");
    });
  }, ["--define", "grace=1"]);
});

Deno.test("n.dispatch_event() and n.dispatchEvent() publish as the dispatcher of the source", () =>
  withBroker(async (broker) => {
    await using transport = local({ address: broker });
    await transport.connect();
    await transport.declare({
      exchanges: [{ name: "orders.events", type: "topic" }],
      queues: [{ name: "seen" }],
      bindings: [{ exchange: "orders.events", queue: "seen", routingKey: "placed" }],
    });
    const input =
      "await n.dispatch_event('orders', 'placed', { id: 7 }); n.dispatchEvent('orders', 'placed')";
    assert.deepEqual(await script(broker, input), { status: 0, out: "", err: "" });
    const bodies: string[] = [];
    const both = Promise.withResolvers<void>();
    await transport.consume("seen", ({ body }) => {
      if (bodies.push(new TextDecoder().decode(body)) === 2) both.resolve();
      return Promise.resolve("ack");
    }, { prefetch: 2 });
    await both.promise;
    assert.deepEqual(bodies, ['{"id":7}', "null"]);
  }));

Deno.test("n.config is the configuration with its secrets masked", () =>
  withBroker(async (broker) => {
    const flags = ["--define", "AMQP_URI=amqp://ada:hunter2@host", "--define", "max_workers=3"];
    const { out } = await script(broker, "n.config", ...flags);
    assert.match(out, /AMQP_URI: "amqp:\/\/ada:\*{8}@host"/);
    assert.match(out, /max_workers: 3/);
    assert.doesNotMatch(out, /hunter/);
  }));

Deno.test("a script of enoki shell that is not JavaScript ends with 2, without a broker", async () => {
  for (
    const [input, reason] of [
      ["const a = 1;\nfoo bar\n", "Unexpected token in line 2, column 5"],
      ["foo(\n", "it ends in the middle of a statement"],
    ] as const
  ) {
    assert.deepEqual(await script("amqp://127.0.0.1:1", input), {
      status: 2,
      out: "",
      err: `Cannot read the script: ${reason}\n`,
    });
  }
});

Deno.test("enoki shell ends with 3 at once where no broker listens", async () => {
  assert.deepEqual(await script("amqp://127.0.0.1:1", "1"), {
    status: 3,
    out: "",
    err:
      "Cannot reach broker amqp://127.0.0.1:1: connection refused. Start RabbitMQ, or name another broker: " +
      "with --broker, or with the option broker in a program\n",
  });
});
