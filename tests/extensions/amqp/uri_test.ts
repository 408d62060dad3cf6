import assert from "node:assert/strict";
import { parseBrokerUri, parseBrokerUris, withTls } from "../../../extensions/amqp/uri.ts";

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
  ["amqp://rabbit/..", "amqp://guest@rabbit:5672/..", "guest", "..", "rabbit", 5672],
  ["AMQP://rabbit/a?heartbeat=7", "amqp://guest@rabbit:5672/a", "guest", "a", "rabbit", 5672],
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

const options: readonly (readonly [query: string, options: object])[] = [
  ["heartbeat=7", { heartbeat: 7 }],
  ["connection_timeout=3000&channel_max=10", { connectTimeout: 3_000, channelMax: 10 }],
  ["frame_max=8192&locale=en_US", { frameMax: 8_192, locale: "en_US" }],
  ["channelMax=10&frameMax=0", { channelMax: 10, frameMax: 0 }],
  ["auth_mechanism=external", { login: "EXTERNAL" }],
  ["cacertfile=%2Fca.pem&verify=verify_none", { tls: { ca: "/ca.pem", verify: false } }],
  [
    "certfile=/c&keyfile=/k&password=p&server_name_indication=h",
    { tls: { cert: "/c", key: "/k", passphrase: "p", serverName: "h" } },
  ],
  ["", {}],
];

for (const [query, expected] of options) {
  Deno.test(`parseBrokerUri() reads the options ?${query}`, () => {
    assert.deepEqual(parseBrokerUri(`amqps://rabbit/v?${query}`).options, expected);
  });
}

const refusedOptions: readonly (readonly [query: string, message: RegExp])[] = [
  [
    "heartbeats=7",
    /its option "heartbeats" is not known \(known are heartbeat, .*\)\. Did you mean heartbeat\? Write amqp:/,
  ],
  ["verfiy=secret", /Did you mean verify\? Write/],
  ["ssl=true", /its option "ssl" is not known \(known are [a-z_, ]+\)\. Write amqp:/],
  ["__proto__=1", /its option "__proto__" is not known/],
  ["heartbeat=7s", /its option "heartbeat" must be an integer \(seconds\) from 0 to 65535/],
  ["heartbeat=-1", /"heartbeat" must be/],
  ["heartbeat=7&heartbeat=8", /its option "heartbeat" is given twice/],
  ["frame_max=8192&frameMax=8192", /its option "frame_max" is given twice/],
  ["frame_max=100", /"frame_max" must be a number of bytes, 4096 or more/],
  ["connection_timeout=0", /"connection_timeout" must be an integer \(milliseconds\) from 1/],
  ["auth_mechanism=secret", /"auth_mechanism" must be plain, amqplain, external/],
  ["verify=secret", /"verify" must be verify_peer or verify_none/],
  ["password=secret", /its option "password" needs amqps:/],
];

for (const [query, message] of refusedOptions) {
  Deno.test(`parseBrokerUri() refuses the options ?${query}`, () => {
    assert.throws(() => parseBrokerUri(`amqp://u:secret@rabbit/v?${query}`), (error: Error) => {
      assert.match(error.message, message);
      return !error.message.includes("secret");
    });
  });
}

for (const sign of ["#", "/", "?"]) {
  Deno.test(`parseBrokerUri() hints at percent-encoding for "${sign}" in a password`, () => {
    const code = encodeURIComponent(sign);
    for (const password of [`se${sign}cret`, `5${sign}cret`, `${sign}cret`, `se${sign}`]) {
      assert.throws(() => parseBrokerUri(`amqp://u:${password}@rabbit/v`), (error: Error) => {
        assert.ok(error.message.includes(`write ${code}`) || error.message.includes(`${code} for`));
        return !error.message.includes("cret") && !error.message.includes(password);
      });
    }
  });
}

Deno.test("parseBrokerUris() reads lists of URIs, each with its own login and options", () => {
  for (const separator of [";", ",", "; ", " , "]) {
    const list = ["amqp://a:x;y,z@one/v?heartbeat=7", "amqps://two", "pyamqp://three:1"].join(separator);
    assert.deepEqual(
      parseBrokerUris(list).map(({ broker, password, options }) => [broker, password, options]),
      [
        ["amqp://a@one:5672/v", "x;y,z", { heartbeat: 7 }],
        ["amqps://guest@two:5671/", "guest", {}],
        ["amqp://guest@three:1/", "guest", {}],
      ],
    );
  }
});

Deno.test("parseBrokerUris() says which URI of a list is wrong", () => {
  assert.throws(
    () => parseBrokerUris("amqp://a:secret@one;amqp://b:secret@two:port"),
    (error: Error) =>
      /number 2 of 2: its host or its port/.test(error.message) && !/secret/.test(error.message),
  );
  assert.throws(() => parseBrokerUris("amqp://a;b"), /In a list of URIs, write each with its scheme/);
  assert.throws(() => parseBrokerUris("amqp://a;".repeat(101) + "amqp://a"), /more than 100 URIs/);
});

Deno.test("withTls() makes every URI of a list one with TLS", () => {
  assert.equal(withTls("amqp://a;pyamqp://b, amqps://c"), "amqps://a;amqps://b;amqps://c");
});
