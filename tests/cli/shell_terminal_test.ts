import assert from "node:assert/strict";
import { brokerTest } from "../fixtures/broker.ts";
import { SeverableProxy } from "../fixtures/severable_proxy.ts";
import { HAS_TERMINAL, Terminal } from "../fixtures/terminal.ts";
import { SERVICES, withBroker, withService } from "./command.ts";

const MISBEHAVING = `${SERVICES}misbehaving.ts`;

const CLI = new URL("../../cli.ts", import.meta.url).pathname;

const [CTRL_C, CTRL_D, TAB, UP] = ["\x03", "\x04", "\t", "\x1b[A"];

function shell(
  broker: string,
  { flags = [], env = {} }: {
    readonly flags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Terminal {
  return new Terminal([Deno.execPath(), "run", "-A", CLI, "shell", "--broker", broker, ...flags], env);
}

/** Types a line, and gives what the shell shows before its next prompt. */
async function answer(terminal: Terminal, line: string): Promise<string> {
  await terminal.type(`${line}\r`);
  await terminal.shows(`${line}\n`);
  const shown = await terminal.shows(/^> $/m);
  return shown.slice(0, -"> ".length);
}

Deno.test({
  name: "enoki shell at a terminal",
  ignore: !HAS_TERMINAL,
  fn: (t) =>
    withService(MISBEHAVING, async (broker) => {
      const history = broker.slice("local://".length).replace("broker.sock", "state/history");
      await using terminal = shell(broker, { env: { ENOKI_HISTORY: history } });

      await t.step("begins with two lines, which name the broker", async () => {
        const [first, second, prompt] = (await terminal.shows(/^> $/m)).split("\n");
        assert.match(first!, /^enoki \d\S* shell, deno \d\S*, on local:.*broker\.sock$/);
        assert.match(second!, /^n has rpc\.<service>\.<method>/);
        assert.equal(prompt, "> ");
      });

      await t.step("prints what a line is, and waits for a promise", async () => {
        assert.equal(await answer(terminal, "n.rpc.misbehaving.echo('a')"), '[ "a", null ]\n');
        assert.equal(await answer(terminal, "x = 40"), "40\n");
        assert.equal(await answer(terminal, "const y = _ + 2"), "");
        assert.equal(await answer(terminal, "y"), "42\n");
      });

      await t.step("tells in a line why a line failed, and goes on", async () => {
        assert.equal(
          await answer(terminal, "n.rpc.misbehaving.fail()"),
          'QuotaError: too many\ndata: {"limit":3}\n',
        );
        assert.equal(await answer(terminal, "z"), "ReferenceError: z is not defined\n");
        assert.equal(
          await answer(terminal, "foo bar"),
          "SyntaxError: Unexpected token in line 1, column 5\n",
        );
      });

      await t.step("tells of failures that nobody awaits, above the line that is edited", async () => {
        await answer(terminal, "const fail = () => void Promise.reject(new Error('late' + 1))");
        await answer(terminal, "Deno.addSignalListener('SIGUSR2', fail)");
        const pid = Number(await answer(terminal, "Deno.pid"));
        await terminal.type("half a li");
        await terminal.shows("half a li");
        Deno.kill(pid, "SIGUSR2");
        await terminal.shows("Error: late1\n> half a li");
        await terminal.type(CTRL_C);
        await terminal.shows(/^> $/m);
      });

      await t.step("reads an input of several lines, which .break and Ctrl-C drop", async () => {
        await terminal.type("[1,\r");
        await terminal.shows("[1,\n... ");
        assert.equal(await answer(terminal, "2]"), "[ 1, 2 ]\n");
        for (const drop of [".break\r", CTRL_C]) {
          await terminal.type("f(\r");
          await terminal.shows("f(\n... ");
          await terminal.type(drop);
          await terminal.shows(/^> $/m);
        }
        assert.equal(await answer(terminal, "1"), "1\n");
      });

      await t.step("completes what runs, members of values, and its own commands", async () => {
        while (await answer(terminal, "(await n.services).misbehaving?.length") !== "7\n");
        for (
          const [line, completed] of [
            ["n.rpc.misb", "ehaving"],
            ["n.rpc.misbehaving.cont", "ext"],
            ["n.dispatch_", "event"],
            ["Math.abs(Math.floo", "r"],
            [".he", "lp"],
          ] as const
        ) {
          await terminal.type(line);
          await terminal.shows(line);
          await terminal.type(TAB);
          await terminal.shows(completed);
          await terminal.type(CTRL_C);
          await terminal.shows(/^> $/m);
        }
      });

      await t.step("cancels the call that a line waits for at Ctrl-C", async () => {
        await terminal.type("setTimeout(() => console.log('wait' + 1)); n.rpc.misbehaving.wait()\r");
        await terminal.shows("wait1");
        await terminal.type(CTRL_C);
        await terminal.shows(/Cancelled\n> /);
        assert.equal(await answer(terminal, "1"), "1\n");
      });

      await t.step("tells how long lines take, after .time", async () => {
        assert.equal(await answer(terminal, ".time"), "Timing is on\n");
        assert.match(await answer(terminal, "1"), /^1\n\d+\.\d ms\n$/);
        assert.equal(await answer(terminal, ".time"), "Timing is off\n");
      });

      await t.step("knows its commands", async () => {
        assert.match(await answer(terminal, ".help"), /^\.help[^]*\n\.exit[^]*n\.services/);
        assert.equal(await answer(terminal, ".foo"), "Unknown command .foo. See .help\n");
      });

      await t.step("shows no frames of Enoki in stacks", async () => {
        const shown = await answer(terminal, "n.rpc.misbehaving.fail().catch((error) => error)");
        assert.match(shown, /^RemoteError: QuotaError too many\n/);
        assert.doesNotMatch(shown, /^ +at /m);
      });

      await t.step("ends with 0 at Ctrl-D, even if a line still runs", async () => {
        await terminal.type("console.log('run' + 1); new Promise((end) => setTimeout(end, 100, 'over'))\r");
        await terminal.shows("run1");
        await terminal.type(CTRL_D);
        await terminal.shows('"over"\n');
        assert.equal(await terminal.ended(), 0);
      });

      await t.step("keeps its lines for the next shell, and for its user alone", async () => {
        assert.equal(Deno.statSync(history).mode! & 0o777, 0o600);
        const lines = Deno.readTextFileSync(history).split("\n");
        assert.deepEqual(lines.slice(0, 2), ["n.rpc.misbehaving.echo('a')", "x = 40"]);
        await using second = shell(broker, { env: { ENOKI_HISTORY: history } });
        await second.shows(/^> $/m);
        await second.type(UP);
        await second.shows("console.log('run' + 1)");
        await second.type(UP);
        await second.shows("n.rpc.misbehaving.fail().catch");
        await second.type(`${CTRL_C}exit\r`);
        assert.equal(await second.ended(), 0);
      });
    }, ["--define", "grace=1"]),
});

Deno.test({
  name: "enoki shell --interface plain edits no lines, and a line that never waits can be ended",
  ignore: !HAS_TERMINAL,
  fn: () =>
    withBroker(async (broker) => {
      await using terminal = shell(broker, {
        flags: ["--interface", "plain"],
        // Nothing can be written there, which is no failure.
        env: { ENOKI_HISTORY: "/proc/enoki/history" },
      });
      await terminal.shows(/^> $/m);
      assert.equal(await answer(terminal, "[1]"), "[ 1 ]\n");
      await terminal.type("console.log('spin' + 1); for (;;);\r");
      await terminal.shows("spin1");
      await terminal.type(CTRL_C);
      assert.equal(await terminal.ended(), 130);
    }),
});

if (HAS_TERMINAL) {
  brokerTest("enoki shell outlives its connection, and tells of the loss", async (uri) => {
    await using proxy = await SeverableProxy.open(uri);
    await using terminal = shell(proxy.uri, {
      flags: ["--timeout", "0.2", "--define", "TRANSPORT_OPTIONS={interval_start: 0.1, interval_max: 0.1}"],
    });
    await terminal.shows(/^> $/m);
    await terminal.type("half a li");
    await terminal.shows("half a li");
    proxy.down = true;
    await proxy.sever();
    await terminal.shows(/Lost broker amqp:[^]*\n> half a li/);
    await terminal.type(CTRL_C);
    await terminal.shows(/^> $/m);
    await terminal.type("n.rpc.nobody.hello()\r");
    await terminal.shows('Cannot call "nobody.hello": no answer within 200 ms');
    proxy.down = false;
    await terminal.shows("Connected to broker");
    await terminal.type(".exit\r");
    assert.equal(await terminal.ended(), 0);
  });
}
