import assert from "node:assert/strict";
import { SocketMethods } from "../../../extensions/websocket/sockets/socket_methods.ts";

const method = (service: string, owner: unknown) => ({
  name: `${service}.say`,
  service,
  owner,
  handle: () => Promise.resolve(""),
});

Deno.test("SocketMethods.add() refuses a method that another service has at the path", () => {
  const methods = new SocketMethods("/ws");
  methods.add("say", method("chat", 1));
  assert.throws(() => methods.add("say", method("news", 2)), {
    name: "ConfigurationError",
    message: 'Cannot serve WebSocket method "say" twice at /ws: chat.say and news.say have it. ' +
      "Give one of them another path",
  });
});

Deno.test("SocketMethods.find() gives the newest version of a service, until that is removed", () => {
  const methods = new SocketMethods("/ws");
  const [older, newer] = [method("chat", 1), method("chat", 2)];
  methods.add("say", older);
  methods.add("say", newer);
  assert.equal(methods.find("say"), newer);
  methods.remove(2);
  assert.equal(methods.find("say"), older);
  methods.remove(1);
  assert.equal(methods.find("say"), undefined);
});
