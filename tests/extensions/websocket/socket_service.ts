/** What the tests of WebSockets serve. */
import { provider, rpc, service, timer, websocket, websocketConnection, websocketHub } from "../../../mod.ts";
import { z } from "zod";

interface Notes {
  name: string;
  count: number;
  broken: unknown;
}

class Refused extends Error {
  override name = "Refused";
}

const thread = provider(() => {
  const id = crypto.randomUUID();
  return { get: () => id };
});

async function delay(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

export default service("sockets", {
  dependencies: {
    hub: websocketHub(),
    connection: websocketConnection<Notes>(),
    thread,
  },
  entrypoints: {
    echo: websocket(),
    add: websocket({ redact: ["secret"] }),
    whoami: websocket(),
    fail: websocket({ expected: ["Refused"] }),
    refuse: websocket({ expected: ["Refused"] }),
    strange: websocket(),
    slow: websocket(),
    spin: websocket({ timeout: 100 }),
    place: websocket({ input: z.object({ sku: z.string() }) }),
    join: [websocket(), rpc()],
    leave: websocket(),
    rooms: websocket(),
    say: websocket(),
    sayBeforeResult: websocket(),
    tell: [websocket(), rpc()],
    announce: rpc(),
    outside: rpc(),
    remember: websocket(),
    recall: websocket(),
    rememberAndFail: websocket(),
    rememberNonsense: websocket(),
    opened: websocket(),
    which: websocket(),
    fill: websocket(),
    tick: timer({ interval: 0.05 }),
    elsewhere: websocket({ path: "/other" }),
  },
  handlers: {
    echo: (_context, _socketId, value: unknown = null) => value,
    add: (_context, _socketId, a: number, b: number, _secret?: string) => a + b,
    whoami: (_context, socketId) => socketId,
    fail() {
      throw new TypeError("boom");
    },
    refuse() {
      throw Object.assign(new Refused("not you"), { data: { who: "you" } });
    },
    strange: () => () => {},
    async slow({ hub, call }, socketId, key: string, ms = 0) {
      await hub.broadcast("watchers", "began", key);
      await delay(ms, call.signal);
      await hub.broadcast("watchers", call.signal.aborted ? "cancelled" : "ended", key);
      return { key, socketId };
    },
    spin({ connection }) {
      connection.state.name = "lost";
      for (;;);
    },
    place: (_context, _socketId, order) => order.sku,
    join: ({ hub }, socketId: string, channel: string) => hub.subscribe(socketId, channel),
    leave: ({ hub }, socketId, channel: string) => hub.unsubscribe(socketId, channel),
    rooms: ({ hub }, _socketId, of: string) => hub.subscriptions(of),
    say: ({ hub }, _socketId, channel: string, text: string) => hub.broadcast(channel, "said", text),
    sayBeforeResult({ hub }, _socketId, channel: string) {
      void hub.broadcast(channel, "said", "first");
      return "second";
    },
    tell: ({ hub }, socketId: string, text: string) => hub.unicast(socketId, "told", text),
    announce: ({ hub }, channel: string, text: string) => hub.broadcast(channel, "announced", text),
    outside: ({ connection }) => connection.socketId,
    remember({ connection }, _socketId, name: string) {
      connection.state.name = name;
      connection.state.count = (connection.state.count ?? 0) + 1;
    },
    recall: ({ connection: { state }, thread }) => ({ state, thread }),
    rememberAndFail({ connection }, _socketId, name: string) {
      connection.state.name = name;
      throw new Error("after remembering");
    },
    rememberNonsense({ connection }) {
      connection.state.broken = 1n;
    },
    opened: ({ connection: { url, headers } }) => ({
      url: new URL(url).search,
      cookie: headers.get("cookie"),
    }),
    which: ({ thread }) => thread,
    fill: ({ hub }, socketId, bytes: number) => hub.unicast(socketId, "filled", "x".repeat(bytes)),
    tick: ({ hub }) => hub.broadcast("clock", "tick", null),
    elsewhere: () => "elsewhere",
  },
});
