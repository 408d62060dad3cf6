import { strictEqual } from "node:assert/strict";
import type { connectStream } from "../../extensions/stream/client.ts";
import {
  service,
  stream,
  type StreamConnection,
  type StreamConnections,
  type StreamLoss,
} from "../../mod.ts";
import type { Equal, Expect } from "./equality.ts";

Deno.test("a stream types the data, the state and the reason of its handlers", () => {
  const chat = stream({ listen: "tcp://127.0.0.1:0", framing: "lines", state: { name: "", visits: 0 } });
  const raw = stream({ listen: "unix:/tmp/raw" });
  type Chat = StreamConnection<string, { name: string; visits: number }>;
  type Raw = StreamConnection<string | Uint8Array, Record<string, unknown>>;
  const talker = service("talker", {
    dependencies: { everybody: chat.connections() },
    entrypoints: { enter: chat.connected(), say: chat.received(), leave: chat.lost(), gulp: raw.received() },
    handlers: {
      enter({ everybody }, connection) {
        type _1 = Expect<Equal<typeof connection, Chat>>;
        type _2 = Expect<Equal<typeof everybody, StreamConnections<string>>>;
      },
      say(_context, connection, line) {
        type _1 = Expect<Equal<typeof line, string>>;
        type _2 = Expect<Equal<Parameters<typeof connection.write>, [data: string]>>;
      },
      leave(_context, _connection, reason) {
        type _1 = Expect<Equal<typeof reason, StreamLoss>>;
      },
      gulp(_context, connection, data) {
        type _1 = Expect<Equal<typeof connection, Raw>>;
        type _2 = Expect<Equal<typeof data, Uint8Array<ArrayBuffer>>>;
      },
    },
  });
  // @ts-expect-error: a line is text
  const _wrong = () => chat.connections().bind(null!).get(null!).broadcast(new Uint8Array(1));
  strictEqual(talker.name, "talker");
});

Deno.test("connectStream() types the data of its handlers", () => {
  const _connect = async (connect: typeof connectStream) => {
    const lines = await connect("tcp://a:1", {
      received(connection, data) {
        type _1 = Expect<Equal<typeof data, string>>;
        type _2 = Expect<Equal<typeof connection.state, { count: number }>>;
      },
    }, { framing: "lines", state: { count: 0 } });
    type _1 = Expect<Equal<typeof lines.ended, Promise<StreamLoss>>>;
    await connect("tcp://a:1", {
      received(_connection, data) {
        type _2 = Expect<Equal<typeof data, Uint8Array<ArrayBuffer>>>;
      },
    });
  };
  strictEqual(typeof _connect, "function");
});
