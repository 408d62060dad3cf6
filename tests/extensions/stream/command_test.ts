import { equal, match } from "node:assert/strict";
import { Command } from "../../cli/command.ts";

const ECHO = new URL("../../../examples/streams/echo_server.ts", import.meta.url).pathname;

function runEcho(address: string): Command {
  return new Command(["run", "-A", "--broker", "memory:", "--define", `ECHO_LISTEN=${address}`, ECHO]);
}

Deno.test("enoki run lists a stream's handlers, and says where it listens", async () => {
  const command = runEcho("tcp://127.0.0.1:0");
  await command.says("Ready on");
  command.signal("SIGTERM");
  const { status, err } = await command.ended;
  equal(status, 0);
  match(err, /\n +stream +received +listen=\{"config":"ECHO_LISTEN"\} framing="bytes" event="received"\n/);
  match(err, /\nReady on memory: and tcp:\/\/127\.0\.0\.1:\d+ after \d+ ms/);
});

Deno.test("enoki run says in one line that the port of a stream is in use, and is never ready", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `tcp://127.0.0.1:${taken.addr.port}`;
  const { status, err } = await runEcho(address).ended;
  equal(status, 2);
  match(
    err,
    new RegExp(`\nCannot listen on ${address}: the port is in use. Choose another address [^\n]*\n$`),
  );
  equal(err.includes("Ready"), false);
});
