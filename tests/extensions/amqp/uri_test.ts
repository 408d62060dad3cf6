import assert from "node:assert/strict";
import { parseBrokerUri } from "../../../extensions/amqp/uri.ts";

const addresses: [
  uri: string,
  broker: string,
  password: string,
  vhost: string,
  host: string,
  port: number,
][] = [
  ["amqp://", "amqp://guest@localhost:5672/", "guest", "/", "localhost", 5672],
  ["amqp://rabbit", "amqp://guest@rabbit:5672/", "guest", "/", "rabbit", 5672],
  ["pyamqp://guest:guest@rabbit", "amqp://guest@rabbit:5672/", "guest", "/", "rabbit", 5672],
  ["amqps://rabbit", "amqps://guest@rabbit:5671/", "guest", "/", "rabbit", 5671],
  ["amqp://bob:secret@rabbit:1234/", "amqp://bob@rabbit:1234/", "secret", "/", "rabbit", 1234],
  ["amqp://bob:secret@rabbit/nk", "amqp://bob@rabbit:5672/nk", "secret", "nk", "rabbit", 5672],
  ["amqp://bob@rabbit", "amqp://bob@rabbit:5672/", "", "/", "rabbit", 5672],
  ["amqp://rabbit/%2F", "amqp://guest@rabbit:5672/", "guest", "/", "rabbit", 5672],
  ["amqp://rabbit//", "amqp://guest@rabbit:5672/", "guest", "/", "rabbit", 5672],
  ["amqp://rabbit/a%2Fb", "amqp://guest@rabbit:5672/a%2Fb", "guest", "a/b", "rabbit", 5672],
  ["amqp://b%40b:p%2F%3Aw%25@rabbit", "amqp://b%40b@rabbit:5672/", "p/:w%", "/", "rabbit", 5672],
  ["amqp://[::1]:5673/nk", "amqp://guest@[::1]:5673/nk", "guest", "nk", "::1", 5673],
];

for (const [uri, broker, password, vhost, host, port] of addresses) {
  Deno.test(`parseBrokerUri() reads ${uri}`, () => {
    const address = parseBrokerUri(uri);
    assert.deepEqual(
      {
        broker: address.broker,
        password: address.password,
        vhost: address.vhost,
        host: address.host,
        port: address.port,
      },
      { broker, password, vhost, host, port },
    );
  });
}

for (
  const uri of [
    "rabbit",
    "http://bob:secret@rabbit",
    "amqp://bob:secret%@rabbit",
    "amqp://bob:secret@rabbit:port",
  ]
) {
  Deno.test(`parseBrokerUri() refuses ${uri} without repeating the password`, () => {
    assert.throws(
      () => parseBrokerUri(uri),
      (error: Error) => error instanceof TypeError && !error.message.includes("secret"),
    );
  });
}
