// A chat: a page, and the WebSocket that it speaks over.
//
//     deno run -A cli.ts run ./examples/chat/service.ts
//
// Then open http://localhost:8000 in two windows.
import { http, service, websocket, websocketConnection, websocketHub } from "@enoki/enoki";
import { clientScript } from "@enoki/enoki/websocket";
import { page } from "./page.ts";

/** What the page hears. */
interface Events {
  readonly entered: { readonly name: string };
  readonly said: { readonly name: string; readonly text: string };
}

class NotEntered extends Error {
  override name = "NotEntered";
}

export default service("chat", {
  dependencies: {
    hub: websocketHub<Events>(),
    connection: websocketConnection<{ name: string; room: string }>(),
  },
  entrypoints: {
    page: http("GET", "/"),
    client: http("GET", "/client.js"),
    enter: websocket(),
    say: websocket({ expected: ["NotEntered"] }),
  },
  handlers: {
    page: () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } }),
    client: () =>
      new Response(clientScript, { headers: { "content-type": "text/javascript; charset=utf-8" } }),

    async enter({ hub, connection: { state } }, socketId, room: string, name: string) {
      if (state.room !== undefined) await hub.unsubscribe(socketId, state.room);
      Object.assign(state, { room, name });
      await hub.subscribe(socketId, room);
      await hub.broadcast(room, "entered", { name });
    },

    async say({ hub, connection: { state: { room, name } } }, _socketId, text: string) {
      if (room === undefined || name === undefined) throw new NotEntered("Enter a room first");
      await hub.broadcast(room, "said", { name, text });
    },
  },
});
