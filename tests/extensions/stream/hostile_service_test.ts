/** A service that leaves, in place of what `stream()` leaves, whatever it likes. */
import { equal } from "node:assert/strict";
import { memory } from "../../../extensions/memory/mod.ts";
import { run } from "../../../extensions/run.ts";
import { Peer } from "./stream_stage.ts";

/** A service whose answer to a line is the reply that the line evaluates to. */
const SERVICE = (address: string) => `
import { dependency, entrypoint, service, stream } from ${
  JSON.stringify(import.meta.resolve("../../../mod.ts"))
};
const hostile = entrypoint({
  kind: "stream",
  options: { listen: ${JSON.stringify(address)}, framing: "lines", event: "received" },
  prepare: () => ({ decode: ({ body }) => [body], encode: (result) => result }),
});
const others = stream({ listen: "tcp://localhost:0", framing: "lines" });
const send = dependency({
  kind: "streamConnections",
  bind: ({ messenger }) => ({ get: () => (request) => messenger.request(request, { timeout: 1_000 }) }),
});
export default service("hostile", {
  dependencies: { send },
  entrypoints: { hear: hostile, echo: others.received() },
  handlers: {
    async hear({ send }, line) {
      const result = eval("(" + line + ")");
      if (result.request === undefined) return result;
      const answer = await send(result.request).then(String, ({ name }) => name);
      return answer.slice(0, 20) + "\\n";
    },
    echo: (_context, connection, line) => connection.write(line),
  },
});`;

const LEFT = [
  "{ head: { end: { toString: 1 }, state: 7, reason: [] }, body: 'fine\\n' }",
  "{ head: 'text', body: 'fine\\n' }",
  "{ head: { state: '{', end: '' }, body: 'fine\\n' }",
  "{ head: { end: 'failed', reason: { toString: 1, valueOf: 1 } }, body: undefined }",
  "{ head: { end: 'abort', reason: { toString: 1, valueOf: 1 } }, body: undefined }",
  "{ head: { state: 'x'.repeat(1e6) }, body: undefined }",
  "{ head: { end: 'close', reason: 'x'.repeat(1e6) }, body: new Uint8Array(3) }",
];

const REQUESTED = [
  "{ method: 'nonsense', body: '', headers: {} }",
  "{ method: 'write', body: 'x', headers: { connection: { toString: 1 } } }",
  "{ method: 'write', body: new Uint8Array(9), headers: {} }",
  "{ method: 'broadcast', body: 'x', headers: { stream: [], except: { length: 1e9 } } }",
  "{ method: 'list', body: '', headers: { stream: 'of somebody else' } }",
];

Deno.test("whatever a thread leaves or asks for, only its own connection suffers", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/service.js`, SERVICE("tcp://127.0.0.1:0"));
    await using running = await run([`${folder}/service.js`], {
      broker: memory(),
      threads: { permissions: "all", kind: "node" },
    });
    const [first, second] = running.streams;
    for (const left of LEFT) {
      using peer = await Peer.connect(first!);
      await peer.send(`${left}\n`);
      await peer.finish();
      await peer.rest();
    }
    for (const request of REQUESTED) {
      using peer = await Peer.connect(first!);
      await peer.send(`{ request: { service: "stream connections", ...${request} } }\n`);
      await peer.finish();
      await peer.rest();
    }
    using other = await Peer.connect(second!);
    equal(await other.ask("still here"), "still here");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
