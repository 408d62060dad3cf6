/**
 * Frames from the process of a service whose code has taken the process over: the main thread takes or refuses each of
 * them, and ends the thread or the process with a reason.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FramePort } from "../../runtime/channel/frames/frame_port.ts";
import { FrameWriter, readFrames } from "../../runtime/channel/frames/frame_stream.ts";
import { Claims } from "../../runtime/channel/claims.ts";
import { createJob } from "../../runtime/pool/job.ts";
import { PooledThread } from "../../runtime/pool/pooled_thread.ts";
import { reportIn } from "../../runtime/spawning/process/process_messages.ts";
import { ServiceProcess } from "../../runtime/spawning/process/service_process.ts";
import { hostileBytes, hostileFrame, hostileReport } from "./frame_inputs.ts";
import { fuzz, prototypeNames, SEED } from "./fuzzing.ts";
import { Random } from "./random.ts";

const CALL = { entrypoint: 0, body: "", contentType: undefined, headers: undefined };

/** A thread whose process is gone, so that what the main thread sends is dropped. */
class Played {
  readonly port = new FramePort(new FrameWriter(Promise.reject(new Error("it is gone"))), 1, () => {});
  readonly thread: PooledThread;

  constructor() {
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    const thread = { port: this.port, ended, kill: () => resolve("it was stopped") };
    const spawner = { spawn: () => thread, async [Symbol.asyncDispose]() {} };
    this.thread = new PooledThread(spawner, "played#1", () => {});
    void this.thread.serve(
      { type: "serve", service: "played", logLimit: 1_000 } as never,
      { request: () => Promise.resolve("{}"), publish: () => Promise.resolve() },
      {
        onSettled: () => {},
        onRoom: () => {},
        onReturned: () => {},
        onEnd: () => {},
      },
    );
    for (let slot = 0; slot < 6; slot++) this.thread.assign(createJob(CALL, () => {}));
  }
}

let played = new Played();

fuzz([
  {
    name: "a thread in a process",
    share: 4,
    feed(random) {
      if (played.port.onmessage === null) played = new Played();
      played.port.receive(hostileFrame(random), 0);
    },
  },
  { name: "a report of a process", feed: (random) => reportIn(hostileReport(random)), read: reportIn },
]);

Deno.test("a stream of frames ends with its last byte, or is refused, whatever its bytes are", async () => {
  const random = new Random(SEED);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.concat(Array.from({ length: 1 + random.below(8) }, () => hostileBytes(random, 1)));
    let at = 0;
    const connection = {
      read(buffer: Uint8Array) {
        if (at === bytes.length) return Promise.resolve(null);
        const piece = bytes.subarray(at, at + Math.min(buffer.length, 1 + random.length(bytes.length)));
        buffer.set(piece);
        at += piece.length;
        return Promise.resolve(piece.length);
      },
    } as Deno.Conn;
    const { port } = new Played();
    try {
      await readFrames(connection, (_receiver, frame, at) => port.receive(frame, at));
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  }
});

/** A process that sends some bytes, and goes on for ever. */
const SENDER = `
  const { socket, token } = JSON.parse(await new Response(Deno.stdin.readable).text());
  const connection = await Deno.connect({ transport: "unix", path: socket });
  const bytes = await Deno.readFile(Deno.env.get("SENT"));
  for (const piece of [new TextEncoder().encode(token), bytes]) {
    for (let at = 0; at < piece.length;) at += await connection.write(piece.subarray(at));
  }
  await connection.closeWrite();
  setInterval(() => {}, 1_000);
`;

Deno.test("a process that sends whatever it wants is ended with a reason", async () => {
  const random = new Random(SEED);
  const names = prototypeNames();
  const folder = await Deno.makeTempDir();
  await Promise.all(Array.from({ length: 6 }, async (_, index) => {
    const sent = Buffer.concat(Array.from({ length: 50 }, () => hostileBytes(random, random.below(2))));
    const path = `${folder}/${index}`;
    await Deno.writeFile(path, sent);
    const process = new ServiceProcess({
      command: () => ({
        path: Deno.execPath(),
        args: ["eval", "--no-config", SENDER],
        env: { ...Deno.env.toObject(), SENT: path },
      }),
      onOutput: () => {},
      onEnd: () => {},
    });
    const { ended } = process.spawn({ name: "test#1", claims: new Claims().buffer }, 64);
    await process.ended;
    assert.notEqual(await ended, "");
  }));
  await Deno.remove(folder, { recursive: true });
  assert.deepEqual(prototypeNames(), names);
});
