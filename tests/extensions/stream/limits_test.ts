import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { Peer, serveStreams } from "./stream_stage.ts";

const WATCHED = { max_workers: 3, min_workers: 2 };

Deno.test("a line or a frame that is too long ends its connection after those before it", async () => {
  await using served = await serveStreams({ ...WATCHED, STREAM_MAX_LINE: 100, STREAM_MAX_FRAME: 100 });
  using watcher = await Peer.connect(served.QUIET);
  await watcher.ask("ready");
  using peer = await Peer.greeted(served.LINES);
  await peer.send(`fine\n${"x".repeat(101)}`);
  // An abort drops what was not written, but a line that has its answer had time to be written.
  const loss = JSON.parse(await watcher.lineWith("{"));
  deepStrictEqual([loss.code, loss.message], ["oversized", "a line has more than 100 bytes"]);
  using frames = await Peer.connect(served.FRAMES);
  await frames.send(new Uint8Array([0, 101]));
  equal(await frames.chunk(), null);
});

Deno.test("connections beyond the limit are closed at once, and room is made by those that leave", async () => {
  await using served = await serveStreams({ STREAM_MAX_CONNECTIONS: 2 });
  using one = await Peer.greeted(served.LINES);
  using two = await Peer.greeted(served.LINES);
  using three = await Peer.connect(served.LINES);
  equal(await three.line(), undefined);
  equal(await one.ask("bye"), "bye");
  equal(await one.line(), undefined);
  one[Symbol.dispose]();
  let greeting: string | undefined;
  for (let attempt = 0; greeting === undefined && attempt < 200; attempt++) {
    using four = await Peer.connect(served.LINES);
    greeting = await four.line();
  }
  equal(greeting, "welcome");
  equal(await two.ask("still here"), "still here");
});

Deno.test("a connection without traffic ends after the idle time, and one with traffic stays", async () => {
  await using served = await serveStreams({ ...WATCHED, STREAM_IDLE_TIMEOUT: 0.4 });
  using silent = await Peer.greeted(served.LINES);
  using lively = await Peer.greeted(served.LINES);
  let ended = false;
  const end = silent.line().then((line) => {
    equal(line, undefined);
    ended = true;
  });
  while (!ended) equal(await lively.ask("x"), "x");
  await end;
  equal(await lively.ask("still here"), "still here");
});

Deno.test("a call that runs longer than the idle time keeps its connection", async () => {
  await using served = await serveStreams({ STREAM_IDLE_TIMEOUT: 0.1 });
  using peer = await Peer.greeted(served.LINES);
  equal(await peer.ask("slow 500"), "slow 500");
});

Deno.test("a peer that reads nothing while the handler does not wait loses its connection", async () => {
  await using served = await serveStreams(WATCHED);
  using watcher = await Peer.connect(served.QUIET);
  await watcher.ask("ready");
  using peer = await Peer.connect(served.BYTES);
  // The system takes some megabytes before anything waits.
  await peer.send("F");
  const { code, message } = JSON.parse(await watcher.lineWith("{"));
  equal(code, "unread");
  match(message, /more than 1048576 bytes unread/);
});

Deno.test("a handler that waits for its writes waits for a slow peer, which loses nothing", async () => {
  await using served = await serveStreams({ ...WATCHED, STREAM_MAX_BUFFER: 65_536 });
  using watcher = await Peer.connect(served.QUIET);
  await watcher.ask("ready");
  using peer = await Peer.connect(served.BYTES);
  for (let more = 0; more < 4; more++) await peer.send("G");
  let length = 0;
  while (length < 4 * 1024 * 1024) length += (await peer.chunk())!.length;
  equal(await watcher.line(), "written");
});

Deno.test("a peer that reads nothing for the idle time loses its connection, even if a handler waits", async () => {
  await using served = await serveStreams({ ...WATCHED, STREAM_IDLE_TIMEOUT: 0.5 });
  using watcher = await Peer.connect(served.QUIET);
  await watcher.ask("ready");
  const keepAlive = setInterval(() => watcher.send("alive\n").catch(() => {}), 100);
  try {
    using peer = await Peer.connect(served.BYTES);
    for (let more = 0; more < 8; more++) await peer.send("G");
    const start = performance.now();
    const { code, message } = JSON.parse(await watcher.lineWith("{"));
    equal(code, "unread");
    match(message, /read nothing for 500 ms/);
    ok(performance.now() - start < 10_000);
  } finally {
    clearInterval(keepAlive);
  }
});

Deno.test("a peer that only sends is read no further than its calls come along", async () => {
  await using served = await serveStreams(WATCHED);
  using peer = await Peer.greeted(served.LINES);
  await peer.send("slow 600\n");
  const chunk = `${"x".repeat(9_999)}\n`.repeat(25);
  let sent = 0;
  const flood = (async () => {
    for (; sent < 64; sent++) await peer.send(chunk);
  })();
  equal(await peer.line(), "slow 600");
  ok(sent < 64, "all 16 MB were taken while a call ran");
  for (let line = 0; line < 1_600; line++) equal((await peer.line())!.length, 9_999);
  await flood;
});
