import assert from "node:assert/strict";
import { Command } from "../../cli/command.ts";
import { takenPort } from "./web_stage.ts";

const EXAMPLE = new URL("../../../examples/http/get_post.ts", import.meta.url).pathname;

Deno.test("enoki run --http serves there, and shows the URL", async () => {
  const command = new Command(["run", "-A", "--broker", "memory:", "--http", "127.0.0.1:0", EXAMPLE]);
  await command.says("Ready on");
  command.signal("SIGTERM");
  const { status, err } = await command.ended;
  assert.equal(status, 0);
  assert.match(err, /\nReady on memory: and http:\/\/127\.0\.0\.1:\d+ after \d+ ms/);
});

Deno.test("enoki run says in one line that the port is in use", async () => {
  await using taken = await takenPort();
  const address = `127.0.0.1:${taken.port}`;
  const command = new Command(["run", "-A", "--broker", "memory:", "--http", address, EXAMPLE]);
  const { status, err } = await command.ended;
  assert.equal(status, 2);
  assert.match(
    err,
    new RegExp(
      `\nCannot listen on ${address}: the port is in use. Choose another address with --http or ` +
        "WEB_SERVER_ADDRESS\n$",
    ),
  );
});
