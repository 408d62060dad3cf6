import { deepStrictEqual, equal, match, ok, rejects } from "node:assert/strict";
import { connectStream, type StreamLoss } from "../../../extensions/stream/client.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { Peer } from "./stream_stage.ts";

/** A listener for one connection, which the test plays by hand. */
class Server implements Disposable {
  readonly address: string;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  constructor() {
    this.address = `tcp://127.0.0.1:${this.#listener.addr.port}`;
  }

  async accept(): Promise<Peer> {
    return new Peer(await this.#listener.accept());
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

Deno.test("a client's handlers run one at a time: connected, each received, and lost", async () => {
  using server = new Server();
  const events: string[] = [];
  const connecting = connectStream(server.address, {
    async connected(connection) {
      events.push("connected");
      connection.state.lines = 0;
      await connection.write("hello");
      events.push("greeted");
    },
    async received(connection, line) {
      events.push(`begin ${line}`);
      await new Promise((resolve) => setTimeout(resolve));
      connection.state.lines++;
      events.push(`end ${line}`);
    },
    lost: ({ state }, { code }: StreamLoss) => void events.push(`lost ${code} after ${state.lines}`),
  }, { framing: "lines", state: { lines: 0 } });
  using peer = await server.accept();
  equal(await peer.line(), "hello");
  await peer.send("a\nb\n");
  await peer.finish();
  const { code } = await (await connecting).ended;
  equal(code, "ended");
  deepStrictEqual(events, [
    "connected",
    "greeted",
    "begin a",
    "end a",
    "begin b",
    "end b",
    "lost ended after 2",
  ]);
});

Deno.test("a connection that fails rejects, and is never lost", async () => {
  const lost: unknown[] = [];
  const handlers = { lost: (...args: unknown[]) => void lost.push(args) };
  const address = `tcp://127.0.0.1:${freePort()}`;
  await rejects(connectStream(address, handlers), {
    name: "ConnectionFailedError",
    code: "CONNECTION_FAILED",
    message: `Cannot connect to ${address}: nobody listens there`,
  });
  await rejects(connectStream("unix:/nowhere/at.all", handlers), /there is no such file/);
  await rejects(connectStream("http://localhost", handlers), TypeError);
  await rejects(connectStream(address, handlers, { prefix: 3 as never }), TypeError);
  deepStrictEqual(lost, []);
});

Deno.test("a signal ends an attempt, and cuts a connection", async () => {
  using server = new Server();
  await rejects(
    connectStream(server.address, {}, { signal: AbortSignal.abort(new Error("no")) }),
    /^Error: no$/,
  );
  const controller = new AbortController();
  const connection = await connectStream(server.address, {}, { signal: controller.signal });
  using peer = await server.accept();
  controller.abort(new Error("enough"));
  deepStrictEqual(await connection.ended, { code: "aborted", message: "Error: enough" });
  equal(await peer.chunk(), null);
  await rejects(connection.write("late"), { name: "ConnectionLostError", code: "CONNECTION_LOST" });
});

Deno.test("a connection that breaks is lost with the reason", async () => {
  using server = new Server();
  const connection = await connectStream(server.address);
  const peer = await server.accept();
  await connection.write("unread");
  peer[Symbol.dispose]();
  const { code } = await connection.ended;
  ok(code === "reset" || code === "ended", code);
});

Deno.test("a handler that throws ends its connection, and its error is not lost", async () => {
  using server = new Server();
  const losses: StreamLoss[] = [];
  const connection = await connectStream(server.address, {
    async received(connection) {
      await connection.write("before");
      throw new RangeError("boom");
    },
    lost: (_connection, reason) => void losses.push(reason),
  });
  using peer = await server.accept();
  await peer.send("x");
  equal(new TextDecoder().decode(await peer.rest()), "before");
  peer[Symbol.dispose]();
  await rejects(connection.ended, { name: "RangeError", message: "boom" });
  equal(losses.length, 1);
  equal(losses[0]!.code, "failed");
  match(losses[0]!.message, /boom/);
});

Deno.test("a client waits with its writes for a peer that does not read, and loses nothing", async () => {
  using server = new Server();
  await using connection = await connectStream(server.address, {}, { framing: "length-prefixed", prefix: 4 });
  using peer = await server.accept();
  const frame = new Uint8Array(256 * 1024);
  let written = 0;
  const writing = (async () => {
    for (; written < 64; written++) await connection.write(frame);
  })();
  let read = 0;
  const whole = 64 * (frame.length + 4);
  ok((await peer.chunk())!.length > 0);
  ok(written < 64, "16 MB were taken at once");
  while (read < whole - 64 * 1024) read += (await peer.chunk())!.length;
  await writing;
  connection.close();
  await peer.rest();
  peer[Symbol.dispose]();
});
