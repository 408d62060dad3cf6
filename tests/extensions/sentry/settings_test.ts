import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { Section } from "../../../runtime/config/section.ts";
import type { Plain } from "../../../runtime/message/plain.ts";
import { parseDsn } from "../../../extensions/sentry/dsn.ts";
import { sentrySettings } from "../../../extensions/sentry/settings.ts";

const DSN = "https://publickey@o1.example.org/42";

function settingsOf(values: { readonly [key: string]: Plain }) {
  return sentrySettings(new Section({ SENTRY: values }));
}

Deno.test("parseDsn() reads where a project's envelopes go, and nothing else", () => {
  deepStrictEqual(parseDsn(DSN), {
    endpoint: "https://o1.example.org/api/42/envelope/",
    key: "publickey",
    host: "o1.example.org",
  });
  strictEqual(parseDsn("http://k:old@h:9000/a/b/7")?.endpoint, "http://h:9000/a/b/api/7/envelope/");
  for (const wrong of ["", "x", "https://o1.example.org/42", "ftp://k@h/1", "https://k@h/", "https://k@h"]) {
    strictEqual(parseDsn(wrong), undefined, wrong);
  }
});

Deno.test("SENTRY has the defaults of nameko-sentry", () => {
  const { reportsExpected, userKeys, tagKeys, sampleRate, tags, ignored } = settingsOf({ DSN })!;
  deepStrictEqual([reportsExpected, sampleRate, tags, ignored], [true, 1, {}, []]);
  deepStrictEqual(
    ["user_id", "my_email", "session", "language"].map((key) => userKeys.some((each) => each.test(key))),
    [
      true,
      true,
      true,
      false,
    ],
  );
  deepStrictEqual(
    ["call_id", "a_call_id", "call_id_stack"].map((key) => tagKeys.some((each) => each.test(key))),
    [
      true,
      true,
      false,
    ],
  );
});

Deno.test("SENTRY without a DSN reports nothing", () => {
  strictEqual(sentrySettings(new Section({})), undefined);
  strictEqual(settingsOf({}), undefined);
  strictEqual(settingsOf({ DSN: "" }), undefined);
});

for (
  const [key, values] of [
    ["DSN", { DSN: "https://secretkey@/1" }],
    ["REPORT_EXPECTED_EXCEPTIONS", { DSN, REPORT_EXPECTED_EXCEPTIONS: "no" }],
    ["USER_TYPE_CONTEXT_KEYS", { DSN, USER_TYPE_CONTEXT_KEYS: ["("] }],
    ["CLIENT_CONFIG.sample_rate", { DSN, CLIENT_CONFIG: { sample_rate: 2 } }],
    ["REPORT_EXPECTED", { DSN, REPORT_EXPECTED: true }],
  ] as const
) {
  Deno.test(`SENTRY refuses a wrong ${key}, and names no key of a project`, () => {
    throws(() => settingsOf(values), ({ message }: Error) => {
      match(message, new RegExp(`^Cannot use config key "SENTRY.${key}"`));
      return !/secretkey|publickey/.test(message);
    });
  });
}
