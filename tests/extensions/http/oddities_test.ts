import assert from "node:assert/strict";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { connectTo, ODD_SERVICE, readUntil, send, serveHttp } from "./web_stage.ts";

const lines: string[] = [];
configureLogging({ format: "json", write: (line) => void lines.push(line) });

/** Sends text; gives all that comes until `end` has come or the server closes; nothing if it hangs up. */
async function exchange(url: string, text: string, end: string): Promise<string> {
  using connection = await connectTo(url);
  await send(connection, text);
  try {
    return await readUntil(connection, end);
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return "";
    throw error;
  }
}

function get(path: string, headers = "host: x\r\n"): string {
  return `GET ${path} HTTP/1.1\r\n${headers}connection: close\r\n\r\n`;
}

Deno.test("HttpServer survives odd requests and odd responses", async (test) => {
  await using running = await serveHttp([ODD_SERVICE]);
  const { http } = running;

  for (
    const [path, message] of [
      ["/used", "its body has been read"],
      ["/unicode", "ByteString"],
      ["/split", "header"],
      ["/network-error", "it is Response.error"],
      ["/cyclic", "circular"],
      ["/iterator", "an iterator that is not async"],
      ["/switching", "its status is 101"],
      ["/nested", "a Response as the body of a status"],
      ["/crowded", "it has 30. headers"],
      ["/top-heavy", "of 70\\d\\d\\d letters"],
    ] as const
  ) {
    await test.step(`what ${path} returns is no response: 500, and the log says why`, async () => {
      lines.length = 0;
      const response = await fetch(http + path);
      assert.equal(response.status, 500);
      const { error, request } = await response.json();
      assert.equal(error, "InternalServerError");
      assert.equal(request, response.headers.get("x-request-id"));
      const logged = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === "error");
      assert.equal(logged.length, 1, lines.join("\n"));
      assert.match(JSON.stringify(logged[0]), new RegExp(message, "i"));
    });
  }

  await test.step("a header may have Latin letters", async () => {
    const response = await fetch(`${http}/latin`);
    assert.deepEqual([response.status, response.headers.get("x-name")], [200, "caf\u00e9"]);
    await response.body?.cancel();
  });

  await test.step("a wrong content-length is put right", async () => {
    assert.match(
      await exchange(http, get("/wrong-length"), "never"),
      /^HTTP\/1.1 200 OK\r\n(?:.+\r\n)*content-length: 3\r\n(?:.+\r\n)*\r\nabc$/,
    );
  });

  await test.step("a body in many small chunks is read", async () => {
    const chunks = 60_000;
    const text = await exchange(
      http,
      "POST /body HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n" +
        `${"1\r\nx\r\n".repeat(chunks)}0\r\n\r\n`,
      "never",
    );
    assert.equal(text.split("\r\n").at(-1), String(chunks));
  });

  await test.step("a status has its standard text", async () => {
    assert.match(await exchange(http, get("/status-text"), "never"), /^HTTP\/1.1 200 OK\r\n/);
  });

  await test.step("304 has its headers and no body", async () => {
    const text = await exchange(http, get("/not-modified"), "never");
    assert.match(text, /^HTTP\/1.1 304 Not Modified\r\n(?:.+\r\n)*etag: "1"\r\n(?:.+\r\n)*\r\n$/);
  });

  await test.step("a response of fetch() is passed on", async () => {
    const response = await fetch(`${http}/proxied`);
    assert.deepEqual(await response.bytes(), new Uint8Array(400_000).fill(97));
  });

  await test.step("HEAD of a large body has its length", async () => {
    const text = await exchange(
      http,
      "HEAD /bytes/1000000 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
      "never",
    );
    assert.match(text, /^HTTP\/1.1 200 OK\r\n(?:.+\r\n)*content-length: 1000000\r\n(?:.+\r\n)*\r\n$/);
  });

  for (const method of ["GET", "HEAD"]) {
    for (const length of [0, 3]) {
      await test.step(`${method} with a body of ${length} bytes is read without it`, async () => {
        const headers = `host: x\r\nx-name: a\r\nconnection: close\r\ncontent-length: ${length}\r\n`;
        const text = await exchange(
          http,
          `${method} /look HTTP/1.1\r\n${headers}\r\n${"x".repeat(length)}`,
          "never",
        );
        assert.match(text, /^HTTP\/1.1 200 OK\r\n/);
        if (method === "GET") assert.match(text, /\r\n\r\n\["a",""\]$/);
      });
    }
  }

  await test.step("HEAD of a stream says nothing of a length", async () => {
    const text = await exchange(
      http,
      "HEAD /download HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
      "never",
    );
    assert.match(text, /^HTTP\/1.1 200 OK\r\n(?:.+\r\n)*\r\n$/);
    assert.doesNotMatch(text, /content-length/i);
  });

  await test.step("a URL of 50,000 letters is read", async () => {
    const text = await exchange(http, get(`/items/${"a".repeat(50_000)}`), "never");
    assert.ok(text.startsWith("HTTP/1.1 200 OK\r\n") && text.endsWith(`\r\n\r\n${"a".repeat(50_000)}`));
  });

  for (
    const [what, text, status] of [
      ["a URL of 70,000 letters", get(`/items/${"a".repeat(70_000)}`), "4\\d\\d"],
      ["a path that is wrongly encoded", get("/items/%zz"), "404"],
      ["a path that is no UTF-8", get("/items/%ff"), "404"],
      ["a Host that would change the path", get("/7", "host: x/items\r\n"), "400"],
      ["a Host that is none", get("/items/7", "host: a b/c\r\n"), "400"],
      ...["a:b:c", "[", "::", "a:99999", "x.:y", "1.2.3.999"].map((host) =>
        [`the Host ${host}`, get("/items/7", `host: ${host}\r\n`), "400"] as const
      ),
      ["a Host that is none in the URL itself", get("http://a:99999/items/7"), "400"],
      ["no Host", get("/items/7", ""), "200"],
      ["the whole URL", get("http://other.example/items/7"), "200"],
      ["OPTIONS *", "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "404"],
      ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "4\\d\\d"],
      ["a request id that is not ASCII", get("/items/7", "host: x\r\nx-request-id: \u20ac\r\n"), "200"],
      [
        "chunks that are none",
        "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcXX\r\n0\r\n\r\n",
        "400",
      ],
      [
        "an unknown transfer-encoding",
        "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, x\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "400",
      ],
      [
        "two lengths",
        "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "400",
      ],
      ["garbage", "\x16\x03\x01\x02 garbage\r\n\r\n", "400"],
    ] as const
  ) {
    await test.step(`${what}: ${status.replaceAll("\\d", "x")}, and no error in the log`, async () => {
      lines.length = 0;
      const answer = await exchange(http, text, "never");
      // A server may also hang up on what is no HTTP.
      if (answer !== "" || status === "200") assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      assert.deepEqual(lines.filter((line) => line.includes('"level":"error"')), []);
    });
  }

  await test.step("a Host that is none is answered with a request id, and logged", async () => {
    lines.length = 0;
    const answer = await exchange(http, get("/items/7", "host: a:b:c\r\n"), "never");
    const id = /^x-request-id: (\S+)\r$/m.exec(answer)?.[1];
    const [logged] = lines.map((line) => JSON.parse(line));
    assert.match(logged.message, /^GET \/items\/7 400 /);
    assert.equal(logged.request, id);
  });

  await test.step("who asks whether to send a body is told to go on", async () => {
    using connection = await connectTo(http);
    await send(
      connection,
      "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n",
    );
    assert.match(await readUntil(connection, "\r\n\r\n"), /^HTTP\/1.1 100 Continue\r\n\r\n$/);
    await send(connection, "abc");
    assert.match(await readUntil(connection, "\r\n\r\n3"), /^HTTP\/1.1 200 OK/);
  });

  await test.step("who asks whether to send a body that is too large is told no", async () => {
    const text = "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\nexpect: 100-continue\r\n\r\n";
    assert.match(await exchange(http, text, "}"), /\bHTTP\/1.1 413 /);
  });

  await test.step("two requests at once are answered in turn", async () => {
    const two = "GET /items/1 HTTP/1.1\r\nhost: x\r\n\r\n" + get("/items/2");
    assert.match(
      await exchange(http, two, "never"),
      /^HTTP\/1.1 200 OK[^]*\r\n\r\n1HTTP\/1.1 200 OK[^]*\r\n\r\n2$/,
    );
  });
});

Deno.test("http() requests beyond the capacity are answered in turn", async () => {
  await using running = await serveHttp([ODD_SERVICE], { max_workers: 1 });
  const asked = Array.from(
    { length: 100 },
    () => fetch(`${running.http}/work`).then((response) => response.text()),
  );
  assert.deepEqual(new Set(await Promise.all(asked)), new Set(["worked"]));
});

Deno.test("http() timeout counts the wait for a thread", async () => {
  await using running = await serveHttp([ODD_SERVICE], { max_workers: 1, grace: 0 });
  const start = performance.now();
  const statuses = ["/work", "/limited?ms=250", "/limited?ms=250", "/limited?ms=250", "/limited-stream"].map(
    async (path) => {
      const response = await fetch(running.http + path);
      await response.body?.cancel();
      return [response.status, performance.now() - start < 1_000];
    },
  );
  assert.deepEqual(await Promise.all(statuses), [[200, true], [200, true], [504, true], [504, true], [
    504,
    true,
  ]]);
});

Deno.test("http() frees the thread of a stream that began too late", async () => {
  await using running = await serveHttp([ODD_SERVICE], { max_workers: 1 });
  const first = fetch(`${running.http}/limited?ms=200`).then((response) => response.text());
  const late = await fetch(`${running.http}/limited-stream`);
  await late.body?.cancel();
  assert.deepEqual([await first, late.status], ["limited", 504]);
  assert.equal(await (await fetch(`${running.http}/items/7`)).text(), "7");
});
