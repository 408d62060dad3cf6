import { Section } from "../../../runtime/config/section.ts";
import { webSocketSettings } from "../../../extensions/websocket/settings.ts";
import assert from "node:assert/strict";
import { ConfigurationError } from "../../../runtime/message/errors.ts";

Deno.test("webSocketSettings() reads the keys for WebSockets, seconds as milliseconds", () => {
  const config = {
    WEBSOCKET_MAX_MESSAGE: 1,
    WEBSOCKET_MAX_QUEUE: 2,
    WEBSOCKET_MAX_BUFFER: 3,
    WEBSOCKET_MAX_CLIENTS: 4,
    WEBSOCKET_IDLE_TIMEOUT: 0.5,
    WEBSOCKET_ORIGINS: ["https://a.example", "https://b.example"],
  };
  assert.deepEqual(webSocketSettings(new Section(config)), {
    maxMessage: 1,
    maxQueue: 2,
    maxBuffer: 3,
    maxClients: 4,
    idleTimeout: 500,
    origins: ["https://a.example", "https://b.example"],
  });
});

Deno.test("webSocketSettings() takes one origin as a text", () => {
  assert.deepEqual(webSocketSettings(new Section({ WEBSOCKET_ORIGINS: "*" })).origins, ["*"]);
});

for (
  const [key, value] of [
    ["WEBSOCKET_MAX_MESSAGE", 0],
    ["WEBSOCKET_MAX_QUEUE", "many"],
    ["WEBSOCKET_MAX_BUFFER", 1.5],
    ["WEBSOCKET_MAX_CLIENTS", -1],
    ["WEBSOCKET_IDLE_TIMEOUT", -1],
    ["WEBSOCKET_ORIGINS", 5],
    ["WEBSOCKET_TRUST_PROXY", "yes"],
  ] as const
) {
  Deno.test(`webSocketSettings() refuses ${key}: ${JSON.stringify(value)}`, () => {
    assert.throws(
      () => webSocketSettings(new Section({ [key]: value })),
      (error: Error) => error instanceof ConfigurationError && error.message.includes(`"${key}"`),
    );
  });
}
