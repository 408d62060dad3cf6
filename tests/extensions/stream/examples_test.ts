/** The examples of `examples/streams/`, on real sockets. */
import { deepStrictEqual, equal, match } from "node:assert/strict";
import { memory } from "../../../extensions/memory/mod.ts";
import { type Config, run, type Running } from "../../../extensions/run.ts";
import { Child } from "../../fixtures/child.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { Peer } from "./stream_stage.ts";

const EXAMPLES = new URL("../../../examples/streams/", import.meta.url).pathname;

function serve(example: string, config: Config): Promise<Running> {
  return run([`${EXAMPLES}${example}`], {
    broker: memory(),
    config,
    threads: { permissions: "all", kind: "node" },
  });
}

async function printed(
  example: string,
  ...args: string[]
): Promise<{ readonly out: string; readonly err: string }> {
  await using child = new Child(Deno.execPath(), [
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-net",
    `${EXAMPLES}${example}`,
    ...args,
  ]);
  const { code, out, err } = await child.ended();
  equal(code, 0, err);
  return { out, err };
}

Deno.test("the echo client says hello to the echo server, and tells a lost connection from a failed one", async () => {
  await using running = await serve("echo_server.ts", { ECHO_LISTEN: "tcp://127.0.0.1:0" });
  const { out } = await printed("echo_client.ts", running.streams[0]!);
  equal(out, "Server said: hello, world!\nconnection lost\n");
  const failed = await printed("echo_client.ts", `tcp://127.0.0.1:${freePort()}`);
  equal(failed.out, "Connection failed - goodbye!\n");
});

Deno.test("the poetry client collects from several servers, and ends when the last has answered or failed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const poems = ["A poem\nof two lines\n", `${"A long line, again and again. ".repeat(100)}\n`.repeat(200)];
    const addresses: string[] = [];
    await using stack = new AsyncDisposableStack();
    for (const [at, poem] of poems.entries()) {
      await Deno.writeTextFile(`${folder}/${at}.txt`, poem);
      const config = { POETRY_LISTEN: "tcp://127.0.0.1:0", POEM: `${folder}/${at}.txt` };
      const running = stack.use(await serve("poetry_server.ts", config));
      addresses.push(running.streams[0]!);
    }
    const nobody = `tcp://127.0.0.1:${freePort()}`;
    const { out, err } = await printed("poetry_client.ts", addresses[0]!, nobody, addresses[1]!);
    equal(out, `${poems[0]}\n${poems[1]}\n`);
    match(err, new RegExp(`^Poem failed: ${nobody}: Cannot connect`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the chat knows everybody by name, and tells everybody what is said", async () => {
  await using running = await serve("chat.ts", { CHAT_LISTEN: "tcp://127.0.0.1:0" });
  const [address] = running.streams;
  using ada = await Peer.greeted(address!);
  equal(await ada.ask("Ada"), "Welcome, Ada!");
  using bob = await Peer.connect(address!);
  await bob.send("Bob\r\n");
  await bob.lineWith("Welcome, Bob!");
  equal(await ada.line(), "Bob has joined");
  await ada.send("hello\n");
  equal(await bob.line(), "<Ada> hello");
  await bob.send("hi, Ada\n/quit\n");
  deepStrictEqual([await ada.line(), await bob.line()], ["<Bob> hi, Ada", undefined]);
  bob[Symbol.dispose]();
  equal(await ada.line(), "Bob has left");
});
