import { deepStrictEqual, throws } from "node:assert/strict";
import {
  consume,
  cron,
  event,
  http,
  queue,
  rpc,
  service,
  stream,
  timer,
  websocket,
} from "../../../../mod.ts";
import { describe } from "../../../../runtime/service/manifest.ts";

Deno.test("the manifest shows the limits of every kind", () => {
  const limits = { concurrency: 2, rate: { perSecond: 10, burst: 20 }, priority: 3 };
  const socket = stream({ listen: "tcp://127.0.0.1:0", framing: "lines" });
  const limited = service("limited", {
    entrypoints: {
      a: rpc(limits),
      b: event("x", "y", limits),
      c: consume(queue("q"), limits),
      d: http("GET", "/d", limits),
      e: websocket(limits),
      f: socket.received(limits),
      g: timer({ interval: 1, priority: 3 }),
      h: cron("* * * * *", { priority: 3 }),
      i: rpc({ priority: 3 }),
    },
    handlers: { a() {}, b() {}, c() {}, d() {}, e() {}, f() {}, g() {}, h() {}, i() {} },
  });
  const shown = describe(limited).entrypoints.map(({ options: { concurrency, rate, priority, overLimit } }) =>
    JSON.stringify({ concurrency, rate, priority, overLimit })
  );
  const held = { concurrency: 2, rate: { perSecond: 10, burst: 20 }, priority: 3 };
  deepStrictEqual(
    shown,
    [
      { ...held, overLimit: "wait" },
      held,
      held,
      { ...held, overLimit: "refuse" },
      { ...held, overLimit: "refuse" },
      held,
      { priority: 3 },
      { priority: 3 },
      { priority: 3 },
    ].map((each) => JSON.stringify(each)),
  );
});

Deno.test("limits that make no sense are refused with a sentence", () => {
  const message = (text: string) => ({ message: `Cannot declare an entrypoint of kind "rpc": ${text}` });
  throws(() => rpc({ concurrency: 0 }), message("concurrency must be an integer from 1 to 1000000, got 0"));
  throws(
    () => rpc({ priority: 1.5 }),
    message("priority must be an integer from -1000000 to 1000000, got 1.5"),
  );
  throws(
    () => rpc({ rate: { perSecond: 0 } }),
    message("rate.perSecond must be a number from 0.001 to 1000000, got 0"),
  );
  throws(() => rpc({ rate: {} as never }), message("rate needs perSecond"));
  throws(
    () => rpc({ rate: { perMinute: 1 } as never }),
    message('rate has no option "perMinute". Its options are perSecond, burst'),
  );
});
