import { equal } from "node:assert/strict";
import { firstDifference, sameEntrypoints } from "../../../runtime/service/same_entrypoints.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";

const taking = (options: PlainRecord, method = "take") => [{ method, kind: "consume", options }];

Deno.test("firstDifference() names the option that differs, with both values", () =>
  equal(
    firstDifference(taking({ queue: { name: "logs-1" } }), taking({ queue: { name: "logs-7" } })),
    'consume take, queue.name "logs-1" ≠ "logs-7"',
  ));

Deno.test("firstDifference() names entrypoints that one list lacks or has under another name", () => {
  equal(firstDifference(taking({}), []), "consume take ≠ nothing");
  equal(firstDifference(taking({}), taking({}, "put")), "consume take ≠ consume put");
});

Deno.test("firstDifference() finds none where the entrypoints are the same", () => {
  const [one, other] = [
    taking({ queue: { name: "a", durable: true } }),
    taking({ queue: { durable: true, name: "a" } }),
  ];
  equal(sameEntrypoints(one, other), true);
  equal(firstDifference(one, other), undefined);
});
