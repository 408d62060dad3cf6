/** A mistyped option is refused where it is written: `enoki run` checks no types. */
import assert from "node:assert/strict";
import {
  consume,
  cron,
  dispatcher,
  event,
  exchange,
  http,
  publisher,
  queue,
  requester,
  rpc,
  timer,
} from "../../mod.ts";

/** What a program without types may write, and the start of what it is told. */
const MISTAKES: readonly (readonly [string, () => unknown, string])[] = [
  [
    "queue()",
    () => queue("jobs", typo("maxLenght")),
    'Cannot declare queue "jobs": it has no option "maxLenght"',
  ],
  [
    "queue() without a name",
    () => queue(typo("maxLenght")),
    'Cannot declare a queue without a name: it has no option "maxLenght"',
  ],
  [
    "exchange()",
    () => exchange("logs", typo("tpye")),
    'Cannot declare exchange "logs": it has no option "tpye"',
  ],
  [
    "timer()",
    () => timer({ interval: 1, ...typo("eagre") }),
    'Cannot declare a timer: it has no option "eagre". Did you mean eager?',
  ],
  ["cron()", () => cron("@daily", typo("timezon")), 'Cannot declare a cron: it has no option "timezon"'],
  [
    "dispatcher()",
    () => dispatcher(typo("mandatroy")),
    'Cannot make a dispatcher: it has no option "mandatroy"',
  ],
  [
    "publisher()",
    () => publisher(typo("routingkey")),
    'Cannot make a publisher: it has no option "routingkey"',
  ],
  ["requester()", () => requester(typo("timout")), 'Cannot make a requester: it has no option "timout"'],
  ["rpc()", () => rpc(typo("timout")), 'Cannot declare an RPC method: it has no option "timout"'],
  [
    "event()",
    () => event("orders", "placed", typo("relyable")),
    'Cannot handle event "placed" of "orders": it has no option "relyable"',
  ],
  [
    "consume()",
    () => consume(queue("jobs"), typo("prefech")),
    'Cannot consume queue "jobs": it has no option "prefech"',
  ],
  [
    "http()",
    () => http("GET", "/orders", typo("timeuot")),
    'Cannot declare an HTTP entrypoint at "/orders": it has no option "timeuot"',
  ],
];

function typo(name: string): object {
  return { [name]: 1 };
}

for (const [what, define, text] of MISTAKES) {
  Deno.test(`${what} refuses an option that it does not know`, () => {
    assert.throws(define, (error: unknown) => {
      assert.ok(error instanceof TypeError, String(error));
      assert.ok(error.message.startsWith(text), error.message);
      assert.match(error.message, /\. Did you mean \w+\?$/);
      return true;
    });
  });
}
