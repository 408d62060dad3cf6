import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { connect } from "../../../extensions/run.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { Peer, type ServedStreams, serveStreams } from "./stream_stage.ts";

/** Threads that are there when they are needed. */
const PATIENT = { max_workers: 3, min_workers: 3 };

Deno.test("a connection is greeted, and each of its lines is one call in order", async () => {
  await using served = await serveStreams();
  using peer = await Peer.connect(served.LINES);
  equal(await peer.line(), "welcome");
  await peer.send(Array.from({ length: 500 }, (_, at) => `line ${at}\n`).join(""));
  for (let at = 0; at < 500; at++) equal(await peer.line(), `line ${at}`);
  equal(await peer.ask("count"), "501");
});

Deno.test("the state stays with its connection, whichever thread runs the next call", async () => {
  await using served = await serveStreams({ max_workers: 2, min_workers: 2 });
  using ada = await Peer.greeted(served.LINES);
  using bob = await Peer.greeted(served.LINES);
  await ada.send("name Ada\n");
  await bob.send("name Bob\n");
  const threads = new Set<string>();
  let calls = 1;
  using busy = await Peer.greeted(served.LINES);
  for (let round = 0; round < 20 && threads.size < 2; round++) {
    if (round % 2 === 1) await busy.send("slow 30\n");
    threads.add((await ada.ask("thread"))!);
    calls++;
  }
  deepStrictEqual(JSON.parse((await ada.ask("state"))!), { name: "Ada", count: calls + 1 });
  deepStrictEqual(JSON.parse((await bob.ask("state"))!), { name: "Bob", count: 2 });
  equal(threads.size, 2);
});

Deno.test("a connection knows its id and the addresses of both ends", async () => {
  await using served = await serveStreams();
  using peer = await Peer.greeted(served.LINES);
  const [id, address, host] = JSON.parse((await peer.ask("who"))!);
  match(id, /^[0-9a-f-]{36}$/);
  match(address, /^tcp:\/\/127\.0\.0\.1:\d+$/);
  equal(host, served.LINES);
  deepStrictEqual(JSON.parse((await peer.ask("ids"))!), [id]);
});

Deno.test("the calls of different connections run in parallel, those of one connection do not", async () => {
  await using served = await serveStreams(PATIENT);
  using watcher = await Peer.connect(served.QUIET);
  await watcher.ask("ready");
  using ada = await Peer.greeted(served.LINES);
  using bob = await Peer.greeted(served.LINES);
  await ada.send("slow 300 a\nslow 1 b\n");
  await bob.send("slow 300 c\n");
  const seen: string[] = [];
  while (seen.length < 6) seen.push((await watcher.line())!);
  deepStrictEqual(seen.filter((line) => !line.endsWith("c")), [
    "began 300 a",
    "ended 300 a",
    "began 1 b",
    "ended 1 b",
  ]);
  deepStrictEqual(seen.slice(0, 2).sort(), ["began 300 a", "began 300 c"]);
});

Deno.test("what a handler writes arrives while it goes on, and after its end", async () => {
  await using served = await serveStreams();
  using peer = await Peer.greeted(served.LINES);
  equal(await peer.ask("later"), "later");
  const start = performance.now();
  equal(await peer.ask("early"), "early");
  ok(performance.now() - start < 200);
  equal(await peer.line(), "late");
});

Deno.test("what a handler writes in different ways arrives in order", async () => {
  await using served = await serveStreams();
  using peer = await Peer.greeted(served.LINES);
  equal(await peer.ask("order"), "first");
  deepStrictEqual([await peer.line(), await peer.line()], ["second", "third"]);
});

Deno.test("writeAll() sends all pieces, however many", async () => {
  await using served = await serveStreams();
  using peer = await Peer.greeted(served.LINES);
  await peer.send("many 50000\n");
  for (let at = 0; at < 50_000; at++) equal(await peer.line(), `${at}`);
});

Deno.test("bytes and frames reach their handlers as bytes", async () => {
  await using served = await serveStreams();
  using bytes = await Peer.connect(served.BYTES);
  await bytes.send(new Uint8Array([0, 255, 10]));
  deepStrictEqual([...(await bytes.chunk())!], [0, 255, 10]);
  using frames = await Peer.connect(served.FRAMES);
  await frames.send(new Uint8Array([0, 3, 1, 2, 3, 0, 1, 4]));
  await frames.finish();
  deepStrictEqual([...await frames.rest()], [0, 3, 1, 2, 3, 0, 1, 4]);
});

Deno.test("handlers write to one other connection, and to all others", async () => {
  await using served = await serveStreams(PATIENT);
  using ada = await Peer.greeted(served.LINES);
  using bob = await Peer.greeted(served.LINES);
  const [id] = JSON.parse((await bob.ask("who"))!);
  equal(await ada.ask(`to ${id} hello`), "sent true");
  equal(await bob.line(), "hello");
  equal(await ada.ask(`to nobody hello`), "sent false");
  await ada.send("all hi\n");
  equal(await bob.line(), "hi");
  equal(await ada.ask("next"), "next");
  equal(await ada.ask(`end ${id}`), "ended true");
  equal(await bob.line(), undefined);
});

Deno.test("an entrypoint of another kind writes to all connections", async () => {
  const broker = new MemoryBroker();
  await using served = await serveStreams({}, { broker: memory({ broker }) });
  using peer = await Peer.greeted(served.LINES);
  await using connection = await connect({ broker: memory({ broker }) });
  await connection.client("talker").tellAll!("from outside");
  equal(await peer.line(), "from outside");
});

Deno.test("a line end cannot be smuggled into a line", async () => {
  await using served = await serveStreams();
  using peer = await Peer.greeted(served.LINES);
  equal(await peer.ask("inject"), "TypeError");
});

/** What `lost` reports after a line has been sent, and what the peer got. */
async function lossAfter(
  served: ServedStreams,
  act: (peer: Peer) => Promise<void>,
): Promise<{ readonly loss: Record<string, string>; readonly lines: readonly string[] }> {
  using watcher = await Peer.connect(served.QUIET);
  await watcher.ask("ready");
  using peer = await Peer.greeted(served.LINES);
  await act(peer);
  const lines: string[] = [];
  let ended = false;
  while (!ended) {
    const line = await peer.line().catch(() => undefined);
    if (line === undefined) ended = true;
    else lines.push(line);
  }
  peer[Symbol.dispose]();
  return { loss: JSON.parse(await watcher.lineWith("{")), lines };
}

Deno.test("lost is told once why the connection has ended, with its state, and writes no more", async () => {
  await using served = await serveStreams(PATIENT);
  const cases: readonly (readonly [string, string, RegExp, readonly string[]])[] = [
    ["name Ada\nbye\nnever\n", "closed", /handler closed/, ["bye"]],
    ["name Ada\ncut\nnever\n", "aborted", /^cut it$/, []],
    ["name Ada\nfail\nnever\n", "failed", /TypeError: boom/, ["before"]],
    ["name Ada\nrefuse\nnever\n", "failed", /Refused: not you/, []],
    ["name Ada\nexit\nnever\n", "failed", /lost/, []],
    ["name Ada\nnonsense\nnever\n", "failed", /Cannot keep the state/, []],
    ["name Ada\nlarge\nnever\n", "failed", /100\d\d\d characters/, []],
  ];
  for (const [sent, code, message, expected] of cases) {
    const { loss, lines } = await lossAfter(served, (peer) => peer.send(sent));
    equal(loss.code, code);
    match(loss.message!, message);
    deepStrictEqual([loss.name, loss.late], ["Ada", "ConnectionLostError"]);
    deepStrictEqual(lines, expected);
  }
});

Deno.test("a call that spins beyond its timeout costs its connection, and no other", async () => {
  await using served = await serveStreams();
  using spinning = await Peer.connect(served.QUIET);
  using other = await Peer.connect(served.QUIET);
  await spinning.send("spin\nnever\n");
  equal(await spinning.line(), undefined);
  equal(await other.ask("still here"), "still here");
});

Deno.test("a peer that sends no more gets all its answers, and what has no line end is dropped", async () => {
  await using served = await serveStreams(PATIENT);
  const { loss, lines } = await lossAfter(served, async (peer) => {
    await peer.send("a\nslow 20\nb\nunfinished");
    await peer.finish();
  });
  deepStrictEqual(lines, ["a", "slow 20", "b"]);
  equal(loss.code, "ended");
});

Deno.test("a broken connection aborts the signal of its call, and is lost when the call has ended", async () => {
  await using served = await serveStreams(PATIENT);
  using watcher = await Peer.connect(served.QUIET);
  await watcher.ask("ready");
  const peer = await Peer.greeted(served.LINES);
  using other = await Peer.greeted(served.LINES);
  await peer.send("slow 60000\n");
  equal(await watcher.line(), "began 60000");
  peer[Symbol.dispose]();
  // Only a write shows that a peer that sends no more does not read either.
  const writing = (async () => {
    for (let line = 0; line < 100; line++) await other.ask(`all x\n${line}`);
  })();
  const start = performance.now();
  equal(await watcher.line(), "cancelled 60000");
  ok(performance.now() - start < 4_000, "the timeout of the call has ended it");
  await writing;
  equal(JSON.parse((await watcher.line())!).code, "reset");
});
