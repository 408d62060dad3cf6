/** What the types of the testing door promise: the compiler is the judge. */
import { fakeHub, testContext } from "../../extensions/testing/mod.ts";
import { service, websocket, websocketHub } from "../../mod.ts";
import type { Equal, Expect } from "./equality.ts";

const chat = service("chat", {
  dependencies: { hub: websocketHub<{ said: string; left: { id: number } }>() },
  entrypoints: { say: websocket() },
  handlers: { say: ({ hub }, _socketId, text: string) => hub.broadcast("lobby", "said", text) },
});

Deno.test("a fake hub has the types of the events of its service", () => {
  const hub = fakeHub<{ said: string; left: { id: number } }>();
  testContext(chat, { hub });
  type Sent = (typeof hub.broadcasts)[number];
  type _ = Expect<Equal<Extract<Sent, { event: "left" }>["data"], { id: number }>>;
  // @ts-expect-error -- the payload of "said" is a text
  void hub.broadcast("lobby", "said", 5);
  // @ts-expect-error -- the hub of another service
  testContext(chat, { hub: fakeHub<{ said: number }>() });
});
