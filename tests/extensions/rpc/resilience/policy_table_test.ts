import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { client } from "../../../../mod.ts";

Deno.test("a client without policies has nothing in the main thread", () => {
  const { kind, options } = client("payments", { timeout: 1_000, headers: { a: 1 } });
  deepStrictEqual({ kind, options }, { kind: undefined, options: undefined });
  strictEqual(client("payments", { idempotent: true }).kind, undefined);
});

Deno.test("the manifest shows the policies with their defaults, and no fallback", () => {
  const { kind, options } = client("payments", {
    idempotent: ["find"],
    retry: {},
    circuit: {},
    fallback: null,
    methods: { charge: { circuit: { ratio: 0.5 }, bulkhead: { concurrent: 2 }, retry: false } },
  });
  strictEqual(kind, "client");
  deepStrictEqual(options, {
    service: "payments",
    all: {
      idempotent: false,
      retry: { max: 2, delay: 100, factor: 2, jitter: 0.5, on: [] },
      circuit: { failures: 5, open: 30_000, halfOpen: 1, on: [] },
    },
    methods: {
      find: { idempotent: true },
      charge: {
        retry: false,
        circuit: { minimum: 20, ratio: 0.5, open: 30_000, halfOpen: 1, on: [] },
        bulkhead: { concurrent: 2, waiting: 0 },
      },
    },
  });
});

const WRONG: readonly (readonly [options: object, sentence: RegExp])[] = [
  [{ retires: {} }, /^Cannot make a client of "p": it has no option "retires"\. Its options are timeout, /],
  [{ retry: { max: -1 } }, /: retry\.max must be an integer from 0 to 1000, got -1$/],
  [{ retry: { tries: 1 } }, /: retry has no option "tries"\. Its options are max, delay, /],
  [{ retry: 3 }, /: retry must be an object, got 3$/],
  [{ retry: { on: "Conflict" } }, /: retry\.on must be a list of names of error classes$/],
  [{ circuit: { failures: 1, ratio: 1 } }, /: circuit has both failures and ratio\. Choose one$/],
  [{ circuit: { minimum: 1 } }, /: circuit\.minimum has no effect without ratio$/],
  [{ circuit: { ratio: 2 } }, /: circuit\.ratio must be a number from 0\.001 to 1, got 2$/],
  [{ bulkhead: {} }, /: bulkhead needs concurrent$/],
  [{ rateLimit: { burst: 2 } }, /: rateLimit needs perSecond$/],
  [{ idempotent: "find" }, /: idempotent must be true, false or a list of methods$/],
  [
    { methods: { find: { bulkhead: { concurrent: 1.5 } } } },
    /: methods\.find\.bulkhead\.concurrent must be an/,
  ],
  [{ timeout: 0 }, /^Cannot call with timeout 0: it must be a positive number/],
  [
    { methods: { find: { timeout: "soon" } } },
    /^Cannot call with timeout "soon": it must be a positive number/,
  ],
  [{ methods: { find: { rate: 1 } } }, /: methods\.find has no option "rate"\. Its options are /],
];

Deno.test("options that make no sense are refused with a sentence", () => {
  for (const [options, message] of WRONG) throws(() => client("p", options), { message });
});
