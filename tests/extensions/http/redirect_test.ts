import assert from "node:assert/strict";
import { connectTo, PATH_SERVICE, readUntil, send, serveHttp } from "./web_stage.ts";

Deno.test("the last slash is given back at a path of this server, whatever is asked for", async (test) => {
  await using running = await serveHttp([PATH_SERVICE]);
  for (
    const [target, status, location] of [
      ["/a", 308, "/a/"],
      ["/a?x=//b", 308, "/a/?x=//b"],
      ["/files/a/b", 308, "/files/a/b/"],
      ["/caf%C3%A9", 308, "/caf%C3%A9/"],
      ["//evil.example", 308, "/evil.example/"],
      ["///evil.example", 308, "/evil.example/"],
      ["/\\evil.example", 308, "/evil.example/"],
      ["/\\/evil.example", 404, undefined],
      ["/files/..//evil.example/x", 404, undefined],
      ["/files/..//evil.example", 308, "/evil.example/"],
      ["/files/x/..", 308, "/files/"],
    ] as const
  ) {
    await test.step(`${target}: ${status}${location === undefined ? "" : ` to ${location}`}`, async () => {
      using connection = await connectTo(running.http);
      await send(connection, `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      const head = await readUntil(connection, "\r\n\r\n");
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal(/^location: (.*)\r$/m.exec(head)?.[1], location);
    });
  }
});
