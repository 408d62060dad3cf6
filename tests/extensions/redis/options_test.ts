import { deepStrictEqual, throws } from "node:assert/strict";
import { lock, redis, subscription } from "../../../extensions/redis/mod.ts";

Deno.test("an option that is not known, or wrong, is refused when the service is declared", () => {
  const wrong: readonly (readonly [() => unknown, RegExp])[] = [
    [
      () => redis({ encode: "bytes" } as never),
      /Cannot declare redis\(\): it has no option "encode"\. Its options are name, encoding/,
    ],
    [() => redis({ encoding: "latin1" } as never), /encoding must be "utf-8" or "bytes", got "latin1"/],
    [() => redis(""), /name must be a name in REDIS_URIS, got ""/],
    [() => redis({ timeout: 0 }), /timeout must be a positive number of milliseconds, .*, got 0/],
    [() => lock({ ttl: 5 }), /Cannot use lock\(\): ttl must be milliseconds, 100 or more, .*, got 5/],
    [() => lock({ wait: -1 }), /wait must be milliseconds, 0 or more, .*, got -1/],
    [() => lock({ time: 1 } as never), /it has no option "time"/],
    [() => subscription(""), /it needs the name of a channel, got ""/],
    [() => subscription({} as never), /it needs a pattern, got undefined/],
    [() => subscription("a", { limit: 0 }), /limit must be a positive number, got 0/],
    [
      () => subscription("a", { format: "xml" } as never),
      /format must be "json" or "text" or "bytes", got "xml"/,
    ],
  ];
  for (const [declare, message] of wrong) throws(declare, { message });
});

Deno.test("a subscription is plain data in the manifest", () => {
  deepStrictEqual(subscription("a").options, { channel: "a", format: "json", limit: 1_000, drop: "oldest" });
  deepStrictEqual(subscription({ pattern: "a.*", name: "b", timeout: 5 }).options, {
    pattern: "a.*",
    name: "b",
    format: "json",
    limit: 1_000,
    drop: "oldest",
    timeout: 5,
  });
});
