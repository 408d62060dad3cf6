import { strictEqual } from "node:assert/strict";
import { z } from "zod";
import type { connectSocket, SocketEvents, SocketMethods } from "../../extensions/websocket/client.ts";
import { websocket, type WebSocketConnection, websocketConnection, websocketHub } from "../../mod.ts";
import { rpc, service } from "../../mod.ts";
import type { Equal, Expect } from "./equality.ts";

interface Message {
  readonly text: string;
  readonly at: Date;
}

Deno.test("websocket() gives its handler the socket's id, and leaves the rest to its annotations", () => {
  const chat = service("chat", {
    entrypoints: { say: websocket(), leave: websocket(), other: rpc() },
    handlers: {
      say(_context, socketId, room: string, at?: Date) {
        type _1 = Expect<Equal<typeof socketId, string>>;
        return { room, at };
      },
      leave: () => {},
      other: () => 1,
    },
  });
  type Methods = SocketMethods<typeof chat>;
  type _1 = Expect<Equal<keyof Methods, "say" | "leave">>;
  type _2 = Expect<Equal<Parameters<Methods["say"]>, [room: string, at?: Date | undefined]>>;
  type _3 = Expect<Equal<ReturnType<Methods["say"]>, Promise<{ room: string; at?: string }>>>;
  type _4 = Expect<Equal<Parameters<Methods["leave"]>, []>>;
  type _5 = Expect<Equal<ReturnType<Methods["leave"]>, Promise<null>>>;
  strictEqual(chat.name, "chat");
});

Deno.test("websocket() with a signature or schemas types the handler and the client", () => {
  const chat = service("chat", {
    entrypoints: {
      say: websocket<(room: string, count?: number) => Promise<Date>>(),
      place: websocket({ input: z.object({ id: z.coerce.number<string>() }), output: z.string() }),
    },
    handlers: {
      say(_context, _socketId, room, count) {
        type _1 = Expect<Equal<typeof room, string>>;
        type _2 = Expect<Equal<typeof count, number | undefined>>;
        return new Date(0);
      },
      place(_context, _socketId, order) {
        type _1 = Expect<Equal<typeof order, { id: number }>>;
        return String(order.id);
      },
    },
  });
  type Methods = SocketMethods<typeof chat>;
  type _1 = Expect<Equal<Parameters<Methods["say"]>, [room: string, count?: number | undefined]>>;
  type _2 = Expect<Equal<ReturnType<Methods["say"]>, Promise<string>>>;
  type _3 = Expect<Equal<Parameters<Methods["place"]>, [{ id: string }]>>;
  type _4 = Expect<Equal<ReturnType<Methods["place"]>, Promise<string>>>;
  strictEqual(chat.name, "chat");
});

Deno.test("websocket() does not compile with a handler that does not fit", () => {
  const chat = service("chat", {
    entrypoints: {
      say: websocket<(room: string) => void>(),
      count: websocket<() => number>(),
      leave: websocket(),
    },
    handlers: {
      // @ts-expect-error The room is a text.
      say: (_context, _socketId, _room: number) => {},
      // @ts-expect-error The count is a number.
      count: () => "many",
      // @ts-expect-error The socket's id is a text.
      leave: (_context, _socketId: number) => {},
    },
  });
  strictEqual(chat.name, "chat");
});

Deno.test("websocketHub() checks the names and payloads of events", () => {
  const chat = service("chat", {
    dependencies: { hub: websocketHub<{ said: Message; left: void }>() },
    entrypoints: { say: websocket() },
    handlers: {
      async say({ hub }, socketId, text: string) {
        await hub.broadcast("room", "said", { text, at: new Date(0) });
        // @ts-expect-error There is no such event.
        await hub.broadcast("room", "sayed", { text, at: new Date(0) });
        // @ts-expect-error The payload lacks a date.
        return await hub.unicast(socketId, "said", { text });
      },
    },
  });
  type Events = SocketEvents<typeof chat>;
  type _1 = Expect<Equal<keyof Events, "said" | "left" | "connected">>;
  type _2 = Expect<Equal<Events["said"], { readonly text: string; readonly at: string }>>;
  type _3 = Expect<Equal<Events["left"], null>>;
  strictEqual(chat.name, "chat");
});

Deno.test("websocketConnection() types the state of a connection", () => {
  const spec = websocketConnection<{ name: string }>();
  type Injected = typeof spec extends { bind: (host: never) => { get(call: never): infer T } } ? Awaited<T>
    : never;
  type _1 = Expect<Equal<Injected, WebSocketConnection<{ name: string }>>>;
  type _2 = Expect<Equal<Injected["state"], Partial<{ name: string }>>>;
  strictEqual(spec.kind, undefined);
});

Deno.test("connectSocket() of a service checks methods, arguments and events", () => {
  const chat = service("chat", {
    dependencies: { hub: websocketHub<{ said: Message }>() },
    entrypoints: { say: websocket() },
    handlers: { say: (_context, _socketId, text: string) => text.length },
  });
  const check = (socket: ReturnType<typeof connectSocket<typeof chat>>) => {
    type _1 = Expect<Equal<Awaited<ReturnType<typeof socket.call.say>>, number>>;
    socket.on("said", ({ at }) => {
      type _1 = Expect<Equal<typeof at, string>>;
    });
    socket.on("connected", ({ socket_id: id }) => {
      type _1 = Expect<Equal<typeof id, string>>;
    });
    // @ts-expect-error The text is a text.
    void socket.call.say(1);
    // @ts-expect-error There is no such method.
    void socket.call.shout("hi");
    // @ts-expect-error There is no such event.
    socket.on("heard", () => {});
  };
  strictEqual(typeof check, "function");
});
