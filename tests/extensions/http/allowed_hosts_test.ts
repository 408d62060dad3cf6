import assert from "node:assert/strict";
import { AllowedHosts, isAllowedHost } from "../../../extensions/http/request/allowed_hosts.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { connectByHand, SOCKET_SERVICE } from "../websocket/socket_stage.ts";
import { connectTo, ODD_SERVICE, readUntil, send, serveHttp } from "./web_stage.ts";

interface Line {
  readonly message: string;
  readonly properties?: { readonly host?: string };
}

const lines: Line[] = [];
configureLogging({ level: "info", format: "json", write: (line) => void lines.push(JSON.parse(line)) });

function allows(pattern: string, hosts: readonly string[], isSecure = false): readonly boolean[] {
  const allowed = new AllowedHosts([pattern]);
  return hosts.map((host) => allowed.allows(host, isSecure));
}

async function statusOf(url: string, target: string, headers: string, method = "GET"): Promise<string> {
  using connection = await connectTo(url);
  await send(connection, `${method} ${target} HTTP/1.1\r\n${headers}connection: close\r\n\r\n`);
  return (await readUntil(connection, "\r\n\r\n")).slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
}

Deno.test("a host is allowed in each of its spellings", () => {
  const spellings = ["shop.example", "SHOP.example", "shop.example.", "shop.example:80", "shop.example:8000"];
  assert.deepEqual(allows("Shop.example.", spellings), [true, true, true, true, true]);
  const others = [
    "shop.example.evil.example",
    "a.shop.example",
    "shop",
    "xshop.example",
    "",
    "shop.example..",
  ];
  assert.deepEqual(allows("shop.example", others), others.map(() => false));
  assert.deepEqual(allows("bücher.example", ["xn--bcher-kva.example"]), [true]);
});

Deno.test("a host with a port is allowed at that port", () => {
  const hosts = ["a.example:8443", "a.example", "a.example:443"];
  assert.deepEqual(allows("a.example:8443", hosts), [true, false, false]);
  assert.deepEqual(allows("a.example:443", hosts, true), [false, true, true]);
  assert.deepEqual(allows("a.example:80", ["a.example", "a.example:80", "a.example:81"]), [
    true,
    true,
    false,
  ]);
});

Deno.test("a name behind a dot stands for itself and all hosts below it, and behind an asterisk for these", () => {
  const hosts = ["a.example", "b.a.example", "c.b.a.example:80", "b.a.example.", "xa.example", "example"];
  assert.deepEqual(allows(".a.example", hosts), [true, true, true, true, false, false]);
  assert.deepEqual(allows("*.a.example", hosts), [false, true, true, true, false, false]);
  assert.deepEqual(allows("*.a.example:81", ["b.a.example:81", "b.a.example"]), [true, false]);
});

Deno.test("an address is allowed in each of its spellings", () => {
  assert.deepEqual(allows("[::1]", ["[::1]:8000", "[0:0::1]", "[::2]", "::1"]), [true, true, false, false]);
  assert.deepEqual(allows("127.0.0.1", ["127.0.0.1:1", "127.1", "2130706433", "127.0.0.2"]), [
    true,
    true,
    true,
    false,
  ]);
});

Deno.test("a user in the URL is not the host", () => {
  assert.deepEqual(allows("a.example", ["a.example@b.example", "a.example:1@b.example"]), [false, false]);
});

Deno.test("a host longer than any host is not allowed", () => {
  assert.deepEqual(allows(".a.example", [`${"b.".repeat(50)}a.example`, `${"b.".repeat(500)}a.example`]), [
    true,
    false,
  ]);
});

Deno.test("isAllowedHost() takes hosts and nothing else", () => {
  for (const text of ["a", "a.b", ".a.b", "*.a.b", "a:1", "1.2.3.4:80", "[::1]:80", "localhost."]) {
    assert.ok(isAllowedHost(text), text);
  }
  for (
    const text of ["", "*", ".", "*.", "a.*", "*a", "a/b", "a@b", "http://a", "::1", "[::1", "a:99999", "..a"]
  ) {
    assert.ok(!isAllowedHost(text), text);
  }
  assert.throws(() => new AllowedHosts(["a/b"]), TypeError);
});

Deno.test("a request for a host that HTTP_HOSTS does not list is 421, before any handler", async (test) => {
  await using running = await serveHttp([ODD_SERVICE], { HTTP_HOSTS: ["api.example", "*.shop.example"] });
  const { http } = running;
  for (
    const [target, headers, status] of [
      ["/items/7", "host: api.example\r\n", "200"],
      ["/items/7", "host: API.example.:8000\r\n", "200"],
      ["/items/7", "host: a.shop.example\r\n", "200"],
      ["/items/7", "host: shop.example\r\n", "421"],
      ["/items/7", "host: evil.example\r\n", "421"],
      ["/items/7", "host: 127.0.0.1\r\n", "421"],
      ["/items/7", "", "421"],
      ["/items/7", "host: a:b:c\r\n", "400"],
      ["/nowhere", "host: evil.example\r\n", "421"],
      ["http://api.example/items/7", "host: api.example\r\n", "200"],
      ["http://evil.example/items/7", "host: api.example\r\n", "421"],
      ["http://api.example/items/7", "host: evil.example\r\n", "421"],
    ] as const
  ) {
    await test.step(`${target} ${headers.trim()}: ${status}`, async () => {
      assert.equal(await statusOf(http, target, headers), status);
    });
  }

  await test.step("other methods are refused, too", async () => {
    for (const method of ["OPTIONS", "HEAD", "POST"]) {
      assert.equal(await statusOf(http, "/items/7", "host: evil.example\r\n", method), "421");
    }
  });

  await test.step("on one connection, each request is looked at", async () => {
    using connection = await connectTo(http);
    for (const [host, status] of [["api.example", "200"], ["evil.example", "421"], ["api.example", "200"]]) {
      await send(connection, `GET /items/7 HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      assert.match(
        await readUntil(connection, status === "200" ? "\r\n\r\n7" : "Request\n"),
        new RegExp(` ${status} `),
      );
    }
  });

  await test.step("probes may name any host", async () => {
    for (const path of ["/healthz", "/readyz"]) {
      assert.equal(await statusOf(http, path, "host: 10.0.0.1:8000\r\n"), "200");
    }
    assert.equal(await statusOf(http, "/healthz", "host: evil.example\r\n", "POST"), "421");
  });

  await test.step("the log names the host", () => {
    const refused = lines.filter(({ message }) => message.startsWith("GET /items/7 421 "));
    assert.ok(refused.some(({ properties }) => properties?.host === "evil.example"));
    const served = lines.filter(({ message }) => message.startsWith("GET /items/7 200 "));
    assert.ok(served.length > 0 && served.every(({ properties }) => properties?.host === undefined));
  });
});

Deno.test("a WebSocket for a host that HTTP_HOSTS does not list is 421, whatever its origin says", async () => {
  await using running = await serveHttp([SOCKET_SERVICE], { HTTP_HOSTS: "127.0.0.1" });
  const { port } = new URL(running.http);
  const answer = async (host: string) => {
    using connection = await connectTo(running.http);
    await send(
      connection,
      `GET /ws HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nUpgrade: websocket\r\n` +
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    return await readUntil(connection, "\r\n\r\n");
  };
  assert.match(await answer(`evil.example:${port}`), /^HTTP\/1.1 421 /);
  using connection = await connectByHand(`ws://127.0.0.1:${port}/ws`);
  assert.match(await readUntil(connection, "\r\n\r\n"), /^HTTP\/1.1 101 /);
});

Deno.test("HTTP_HOSTS counts for a Unix socket, too", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/web.sock`;
  try {
    await using _running = await serveHttp([ODD_SERVICE], {
      WEB_SERVER_ADDRESS: `unix:${path}`,
      HTTP_HOSTS: ["api.example"],
    });
    for (const [host, status] of [["API.example", "200"], ["evil.example", "421"]]) {
      using connection = await Deno.connect({ transport: "unix", path });
      await send(connection, `GET /items/7 HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      assert.match(await readUntil(connection, "\r\n\r\n"), new RegExp(`^HTTP/1.1 ${status} `));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
