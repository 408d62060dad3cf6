/** What a stop has to end, all at once: a publish, a slow HTTP client, a WebSocket and a leader's timer. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { run } from "../../extensions/run.ts";
import { within } from "../../runtime/waiting/abort.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { brokerTest } from "../fixtures/broker.ts";
import { FrameProxy, METHODS } from "../fixtures/frame_proxy.ts";
import { servicePath } from "../fixtures/serve_in_memory.ts";
import { SeverableProxy } from "../fixtures/severable_proxy.ts";
import { connectTo, readUntil, send } from "./http/web_stage.ts";
import { connectByHand } from "./websocket/socket_stage.ts";

let lines = "";
const looks = new Set<() => void>();
configureLogging({
  write(line) {
    lines += line;
    for (const look of looks) look();
  },
});

/** Resolves when the log holds a text, and rejects after ten seconds without. */
async function logged(text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => lines.includes(text) && resolve();
  const limit = setTimeout(() => reject(new Error(`The log never said "${text}": ${lines}`)), 10_000);
  looks.add(look);
  look();
  await promise.finally(() => looks.delete(look));
  clearTimeout(limit);
}

const GRACE = 200;

/** Milliseconds within which a stop ends, in addition to the grace. */
const LIMIT = 2_000;

/** Milliseconds after which a test does not wait for the stop any more. */
const PATIENCE = 10_000;

/** The frame `connection.blocked`, with the reason "memory". */
const BLOCKED = Buffer.from([1, 0, 0, 0, 0, 0, 11, 0, 10, 0, 60, 6, ...Buffer.from("memory"), 0xce]);

interface Relays {
  readonly cable: SeverableProxy;
  readonly frames: FrameProxy;
}

/** What becomes of the network and the broker before the handler publishes. */
const STATES: Readonly<Record<string, (relays: Relays) => Promise<void>>> = {
  "the network is cut": async ({ cable }) => {
    cable.down = true;
    await cable.sever();
  },
  "the network forwards nothing": ({ cable }) => Promise.resolve(cable.stall()),
  // A broker that blocks a connection, once that has published, reads nothing more from it.
  "the broker takes no messages": ({ frames }) => {
    let blocked: number | undefined;
    frames.interfere = ({ connection, fromBroker, is }) => {
      if (fromBroker) return undefined;
      if (connection === blocked) return Buffer.alloc(0);
      if (!is(METHODS.publish)) return undefined;
      blocked = connection;
      return BLOCKED;
    };
    return Promise.resolve();
  },
};

for (const [state, enter] of Object.entries(STATES)) {
  brokerTest(`Running.shutdown() keeps to the grace with everything open while ${state}`, async (uri) => {
    lines = "";
    await using frames = await FrameProxy.open(uri);
    await using cable = await SeverableProxy.open(frames.uri);
    const running = await run([servicePath("busy.ts")], {
      broker: cable.uri,
      config: { grace: GRACE / 1_000, WEB_SERVER_ADDRESS: "127.0.0.1:0" },
      threads: { permissions: "all" },
    });
    const container = running.containers.get("enoki_test_busy")!;
    await logged("lead ticks in this process");
    using slow = await connectTo(running.http!);
    await send(slow, "GET /bytes/20000000 HTTP/1.1\r\nhost: x\r\n\r\n");
    assert.match(await readUntil(slow, "\r\n\r\n"), /^HTTP\/1.1 200 /);
    using socket = await connectByHand(`${running.http}/ws`);
    assert.match(await readUntil(socket, "\r\n\r\n"), /^HTTP\/1.1 101 /);
    await enter({ cable, frames });
    const body = '{"args": [], "kwargs": {}}';
    const publishing = container.run({ entrypoint: 0, body, contentType: undefined, headers: undefined });
    await logged("publishes");
    if (state === "the broker takes no messages") await logged("takes no messages");
    const start = performance.now();
    await within(PATIENCE, running.shutdown());
    const took = performance.now() - start;
    assert.ok(took < GRACE + LIMIT, `${took} ms`);
    assert.equal(container.state, "stopped");
    assert.equal((await publishing).status, "unstarted");
  });
}
