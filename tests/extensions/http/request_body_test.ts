import assert from "node:assert/strict";
import { SlowClients } from "../../../extensions/http/clients/slow_clients.ts";
import { readRequestBody } from "../../../extensions/http/request/body.ts";

/** Turns that others have had when the body ends, more than one rest of the reader gives. */
const TURNS = 30;

/** Milliseconds after which the body ends, too. */
const PATIENCE = 5_000;

Deno.test("a body in many small pieces that are all here leaves others their turns", async () => {
  const clients = new SlowClients({ stallTimeout: 60_000, maxHeld: 1e9, onGivenUp: assert.fail });
  let pieces = 0;
  let turns = 0;
  // Each piece is here before it is asked for, so nothing but the reader lets others have a turn.
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (turns >= TURNS || performance.now() - began > PATIENCE) return controller.close();
      controller.enqueue(new Uint8Array(1));
      pieces++;
    },
  }, { highWaterMark: 0 });
  const began = performance.now();
  const timer = setInterval(() => turns++, 0);
  const request = new Request("http://x/", { method: "POST", body });
  const read = await readRequestBody({ request, method: "POST" }, undefined, 1e9, clients);
  clearInterval(timer);
  clients.stop();
  assert.ok(read instanceof Uint8Array);
  assert.equal(read.length, pieces);
  assert.ok(turns >= TURNS, `others had ${turns} turns`);
});
