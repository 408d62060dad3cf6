import { strictEqual } from "node:assert/strict";
import { isSecretKey, maskTextSecrets, maskUrl } from "../../../runtime/log/secrets.ts";

const TEXTS: readonly (readonly [string, string])[] = [
  ["amqp://u:p@h:5672/v", "amqp://u:********@h:5672/v"],
  ["at amqp://u:p@h, amqp://v:q@i", "at amqp://u:********@h, amqp://v:********@i"],
  ["amqp://u:p@h,amqp://v:q@i", "amqp://u:********@h,amqp://v:********@i"],
  ["amqp://u:p@ss/w:rd@h", "amqp://u:********@h"],
  ["amqp://u:12345@h", "amqp://u:********@h"],
  ['"amqp://u:p"q@h"', '"amqp://u:********@h"'],
  ["http://h:80/users/@me", "http://h:80/users/@me"],
  ["http://[::1]:80/@me", "http://[::1]:80/@me"],
  ["amqp://h:5672", "amqp://h:5672"],
  ["amqp://u@h", "amqp://u@h"],
  ["host=x password=hunter2 user=u", "host=x password=******** user=u"],
  ['PGPASSWORD="a b" psql', "PGPASSWORD=******** psql"],
  ["https://h/a?x=1&access_token=abc&y=2", "https://h/a?x=1&access_token=********&y=2"],
  ["the password = none", "the password = none"],
];

const KEYS = {
  secret: ["DB_PASS", "password", "apiKey", "X-Auth-Token", "jwt", "auth", "signing_key", "Cookie"],
  open: ["passenger", "author", "monkey", "path", "authenticated_at"],
};

Deno.test("isSecretKey() knows what sounds like a secret", () => {
  for (const key of KEYS.secret) strictEqual(isSecretKey(key), true, key);
  for (const key of KEYS.open) strictEqual(isSecretKey(key), false, key);
});

Deno.test("maskTextSecrets() masks the password and nothing else", () => {
  for (const [text, masked] of TEXTS) strictEqual(maskTextSecrets(text), masked);
});

const URLS: readonly (readonly [string, string])[] = [
  ["https://u:p@h/a.ts", "https://********@h/a.ts"],
  ["https://token@h/a.ts", "https://********@h/a.ts"],
  ["https://h/a.ts?v=1&access_token=x", "https://h/a.ts?v=1&access_token=********"],
  ["https://h:8443/a.ts?v=a+b", "https://h:8443/a.ts?v=a+b"],
  [`data:text/javascript,${"x".repeat(99)}`, `data:text/javascript,${"x".repeat(43)}…`],
];

Deno.test("maskUrl() masks who asks and what its query calls a secret", () => {
  for (const [url, masked] of URLS) strictEqual(maskUrl(url), masked);
});
