import { deepStrictEqual, equal, match, rejects } from "node:assert/strict";
import { run } from "../../../extensions/run.ts";
import { memory } from "../../../extensions/memory/mod.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { Peer, serveStreams } from "./stream_stage.ts";

Deno.test("a stop lets running calls finish, forgets what waits, closes politely, and runs lost", async () => {
  await using served = await serveStreams({ max_workers: 3, min_workers: 2 });
  using watcher = await Peer.connect(served.QUIET);
  await watcher.ask("ready");
  using peer = await Peer.greeted(served.LINES);
  await peer.send("slow 300\nnever\n");
  equal(await watcher.line(), "began 300");
  const stopping = served.shutdown();
  equal(await peer.line(), "slow 300");
  equal(await peer.line(), undefined);
  await rejects(Peer.connect(served.LINES), Deno.errors.ConnectionRefused);
  await stopping;
  equal(served.streams.length, 0);
});

Deno.test("a stop waits a little, and not for ever, for peers that neither read nor leave", async () => {
  await using served = await serveStreams();
  using silent = await Peer.connect(served.BYTES);
  await silent.send("x");
  await silent.chunk();
  const start = performance.now();
  await served.shutdown();
  const took = performance.now() - start;
  if (took > 5_000) throw new Error(`it took ${took} ms`);
  equal(await silent.chunk(), null);
});

Deno.test("a stop by force cuts connections and their calls", async () => {
  await using served = await serveStreams({ max_workers: 3, min_workers: 2 });
  using watcher = await Peer.connect(served.QUIET);
  await watcher.ask("ready");
  using peer = await Peer.greeted(served.LINES);
  await peer.send("slow 60000\n");
  equal(await watcher.line(), "began 60000");
  await served.shutdown({ signal: AbortSignal.abort() });
  equal(await peer.line(), undefined);
});

Deno.test("lost runs for each connection when its service stops", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/lost.txt`;
    await Deno.writeTextFile(
      `${folder}/service.ts`,
      `import { service, stream } from ${JSON.stringify(import.meta.resolve("../../../mod.ts"))};
      const all = stream({ listen: "tcp://127.0.0.1:0", framing: "lines" });
      export default service("loser", {
        entrypoints: { hear: all.received(), lost: all.lost() },
        handlers: {
          hear: (_context, connection, line) => connection.write(line),
          lost: (_context, _connection, { code }) => Deno.writeTextFile(${
        JSON.stringify(file)
      }, code + "\\n", { append: true }),
        },
      });`,
    );
    await using running = await run([`${folder}/service.ts`], {
      broker: memory(),
      threads: { permissions: "all", kind: "node" },
    });
    using one = await Peer.connect(running.streams[0]!);
    using two = await Peer.connect(running.streams[0]!);
    deepStrictEqual([await one.ask("a"), await two.ask("b")], ["a", "b"]);
    await running.shutdown();
    equal(await Deno.readTextFile(file), "stopping\nstopping\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** A service with one stream, in a file that is edited. */
class Edited {
  readonly file: string;
  readonly #address: string;

  constructor(folder: string, address: string) {
    this.file = `${folder}/service.ts`;
    this.#address = address;
  }

  write(answer: string, { options = "", more = "" } = {}): void {
    Deno.writeTextFileSync(
      this.file,
      `import { service, stream } from ${JSON.stringify(import.meta.resolve("../../../mod.ts"))};
      const all = stream({ listen: ${JSON.stringify(this.#address)}, framing: "lines", ${options} });
      export default service("edited", {
        entrypoints: { hear: all.received(), ${more} },
        handlers: {
          async hear(_context, connection, line) {
            connection.state.count = ((connection.state.count as number | undefined) ?? 0) + 1;
            await connection.write(\`${answer} \${connection.state.count} \${line}\`);
          },
          ${more === "" ? "" : "leave() {},"}
        },
      });`,
    );
  }
}

Deno.test("a reload keeps the address and the connections, with their state, unless they speak otherwise", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const edited = new Edited(folder, `tcp://127.0.0.1:${freePort()}`);
    edited.write("one");
    await using running = await run([edited.file], {
      broker: memory(),
      threads: { permissions: "all", kind: "node" },
    });
    const [address] = running.streams;
    using peer = await Peer.connect(address!);
    equal(await peer.ask("x"), "one 1 x");
    // Only the threads change.
    edited.write("two");
    await running.reload();
    equal(await peer.ask("x"), "two 2 x");
    // Other entrypoints: another container takes over.
    edited.write("three", { more: "leave: all.lost()", options: "maxLine: 1000" });
    await running.reload();
    equal(await peer.ask("x"), "three 3 x");
    using other = await Peer.connect(address!);
    equal(await other.ask("y"), "three 1 y");
    deepStrictEqual(running.streams, [address]);
    // What would be read otherwise ends.
    edited.write("four", { options: 'encoding: "latin1"' });
    await running.reload();
    equal(await peer.line(), undefined);
    using last = await Peer.connect(address!);
    equal(await last.ask("z"), "four 1 z");
    // A version that does not start costs nothing.
    edited.write("five", { options: 'listen: "tcp://192.0.2.1:1"' });
    await rejects(running.reload(), /192\.0\.2\.1/);
    equal(await last.ask("z"), "four 2 z");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an address that cannot be used ends the start, and is named with the way out", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await rejects(serveStreams({ LINES: `tcp://127.0.0.1:${taken.addr.port}` }), {
    name: "ConfigurationError",
    message: new RegExp(
      `^Cannot listen on tcp://127.0.0.1:${taken.addr.port}: the port is in use. Choose another address with listen`,
    ),
  });
  await rejects(serveStreams({ LINES: "tcp://192.0.2.1:1" }), /this machine has no such address/);
  await rejects(serveStreams({ LINES: "udp://127.0.0.1:1" }), /config key "LINES" must be tcp:/);
  await rejects(serveStreams({ LINES: null as never }), /got null/);
  await rejects(serveStreams({ LINES: "tls://127.0.0.1:0" }), /there is no certificate. Set STREAM_TLS/);
  match(String(await serveStreams({ STREAM_MAX_LINE: 0 }).catch((error) => error)), /STREAM_MAX_LINE/);
});
