/**
 * Bytes for the sockets of the HTTP server: whatever a client sends, the others are served, and the main thread
 * is never held up.
 */
import assert from "node:assert/strict";
import { connectTo, readUntil, serveHttp, WEB_SERVICE } from "../extensions/http/web_stage.ts";
import { connectByHand, RawSocket, SOCKET_SERVICE, socketUrl } from "../extensions/websocket/socket_stage.ts";
import { memoryInUse, processorTime } from "../fixtures/thread_usage.ts";
import { prototypeNames } from "./fuzzing.ts";
import { Random } from "./random.ts";
import { hostileFrames, hostileRequest } from "./socket_inputs.ts";

/** Clients of each kind. */
const CLIENTS = Math.ceil(Number(Deno.env.get("FUZZ_INPUTS") ?? 20_000) / 100);

const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 1);

/** Milliseconds that the server has to say something to a client that has sent all. */
const PATIENCE = 40;

/** Milliseconds that one client may hold up the main thread. */
const LIMIT = 50;

/** Bytes by which the memory in use may grow. */
const MEMORY = 256 * 1024 * 1024;

/** Sends bytes, and reads what the server has to say to them, as long as it has patience. */
async function sendAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  const limit = setTimeout(() => {
    try {
      connection.close();
    } catch {
      // It is closed.
    }
  }, PATIENCE);
  try {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    await connection.closeWrite();
    for (const buffer = new Uint8Array(65_536); await connection.read(buffer) !== null;);
  } catch {
    // The server may reset a connection that makes no sense.
  }
  clearTimeout(limit);
  try {
    connection.close();
  } catch {
    // Its time was up.
  }
}

/**
 * Measures for how long the event loop, which the server shares with this test, worked at one thing. What other
 * programs take of the processor meanwhile does not count.
 */
function watchLoop(): Disposable & { longest(): number } {
  let [last, longest] = [processorTime(), 0];
  const look = () => {
    const now = processorTime();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  return {
    longest() {
      look();
      const most = longest;
      longest = 0;
      return most;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/**
 * Lets clients come, one after the other, and asks now and then whether others are served. An input counts as
 * too slow if it holds up the loop three times: a pause of the machine does not come again.
 */
async function besiege(
  attack: (random: Random) => Promise<void>,
  serves: (client: number) => Promise<void>,
): Promise<void> {
  const random = new Random(SEED);
  const names = prototypeNames();
  using loop = watchLoop();
  const memory = memoryInUse();
  for (let client = 0; client < CLIENTS; client++) {
    const again = random.clone();
    loop.longest();
    await attack(random);
    let longest = loop.longest();
    for (let tries = 0; longest > LIMIT && tries < 4; tries++) {
      await attack(again.clone());
      longest = Math.min(longest, loop.longest());
    }
    assert.ok(longest <= LIMIT, `client ${client} has held up the main thread for ${longest.toFixed(0)} ms`);
    if (client % 20 === 0) await serves(client);
  }
  await serves(CLIENTS);
  assert.deepEqual(prototypeNames(), names, "an input has changed a prototype");
  const grown = memoryInUse() - memory;
  assert.ok(grown < MEMORY, `the memory in use has grown by ${grown} bytes`);
}

Deno.test("an HTTP server answers its clients, whatever another one sends", async () => {
  await using served = await serveHttp([WEB_SERVICE, SOCKET_SERVICE]);
  await besiege(
    async (random) => await sendAll(await connectTo(served.http), hostileRequest(random)),
    async () => {
      const response = await fetch(`${served.http}/text`);
      assert.equal(response.status, 200);
      await response.body?.cancel();
    },
  );
});

Deno.test("a WebSocket server answers its clients, whatever another one sends", async () => {
  await using served = await serveHttp([SOCKET_SERVICE]);
  const url = socketUrl(served.http);
  await using other = await RawSocket.open(url);
  await besiege(
    async (random) => {
      const connection = await connectByHand(url);
      assert.match(await readUntil(connection, "\r\n\r\n"), /^HTTP\/1.1 101 /);
      await sendAll(connection, hostileFrames(random));
    },
    async (client) => assert.equal((await other.call("add", { a: 1, b: client })).data, client + 1),
  );
});
