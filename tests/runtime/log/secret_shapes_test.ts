import { createHash } from "node:crypto";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { maskRandomTexts, maskShapes } from "../../../runtime/log/secret_shapes.ts";
import { maskSecrets } from "../../../runtime/log/secrets.ts";

/** Random text is made here, so that no scanner takes this file for a leak. */
function random(length: number, alphabet: string): string {
  return Array.from(
    crypto.getRandomValues(new Uint8Array(length)),
    (byte) => alphabet[byte % alphabet.length],
  ).join("");
}

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const WORDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const TOKENS: Readonly<Record<string, string>> = {
  amazon: `AKIA${random(16, UPPER)}`,
  google: `AIza${random(35, WORDS)}`,
  github: `ghp_${random(36, WORDS)}`,
  gitlab: `glpat-${random(20, WORDS)}`,
  slack: `xoxb-1234567890-${random(24, WORDS)}`,
  stripe: `sk_live_${random(24, WORDS)}`,
  sendgrid: `SG.${random(22, WORDS)}.${random(43, WORDS)}`,
  npm: `npm_${random(36, WORDS)}`,
  vault: `hvs.${random(24, WORDS)}`,
  telegram: `123456789:${random(35, WORDS)}`,
  jwt: `eyJ${random(20, WORDS)}.${random(40, WORDS)}.${random(43, WORDS)}`,
  encryptedJwt: `eyJ${random(20, WORDS)}.${random(9, WORDS)}.${random(9, WORDS)}.${random(9, WORDS)}.a`,
};

Deno.test("maskShapes() masks tokens with a known prefix wherever they are in a text", () => {
  for (const [name, token] of Object.entries(TOKENS)) {
    strictEqual(maskShapes(token), "********", name);
    strictEqual(maskShapes(`got "${token}", failed`), 'got "********", failed', name);
  }
});

const MASKED: readonly (readonly [string, string])[] = [
  ["authorization: Bearer abc.def-123", "authorization: Bearer ********"],
  ["bearer 0123456789abcdef", "bearer ********"],
  ["Basic dXNlcjpwYXNzd29yZA==", "Basic ********"],
  ["https://0123abcd@o1.ingest.sentry.example/1", "https://********@o1.ingest.sentry.example/1"],
  ["https://publickey@sentry.example/1", "https://********@sentry.example/1"],
  ["redis://s3cretpassw0rd@cache:6379", "redis://********@cache:6379"],
  [
    "DefaultEndpointsProtocol=https;AccountKey=abcd1234==;X=y",
    "DefaultEndpointsProtocol=https;AccountKey=********;X=y",
  ],
  ["https://hooks.slack.com/services/T01/B02/abcdef", "https://hooks.slack.com/services/********"],
  [
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nrest",
    "-----BEGIN RSA PRIVATE KEY-----********-----END RSA PRIVATE KEY-----\nrest",
  ],
  ["a -----BEGIN PRIVATE KEY-----\\nMIIE\\nabc", "a -----BEGIN PRIVATE KEY-----********"],
];

Deno.test("maskShapes() masks credentials, keys and signed addresses, and keeps what is around them", () => {
  for (const [text, masked] of MASKED) strictEqual(maskShapes(text), masked);
});

const OPEN: readonly string[] = [
  "the bearer of bad news",
  "Basic authentication is required",
  "token expired at noon",
  "amqp://ada@host",
  "postgres://app@database.internal.example/orders",
  "a@b.example wrote to c@d.example",
  "orders.place.309bce13-8f45-4220-9f8b-a95a088df1f3",
  "309bce13-8f45-4220-9f8b-a95a088df1f3",
  "4bf92f3577b34da6a3ce929d0e0e4736",
  "d3486ae9136e7856bc42212385ea797094475802",
  "My-Service_Name-With-A-Long-Title-Of-2026-Version-2",
  "/usr/Local/share/Enoki2/templates/newsletters/Spring",
  "com.example.OrderPlacedEventHandlerFactoryBean2",
];

Deno.test("maskShapes() leaves alone what is no secret", () => {
  for (const text of OPEN) strictEqual(maskShapes(text), text);
});

Deno.test("maskRandomTexts() masks long random texts wherever they are, and no others", () => {
  const hash = (algorithm: string, form: "hex" | "base64" | "base64url") =>
    createHash(algorithm).update("enoki").digest(form);
  const secrets = [
    hash("md5", "hex"),
    hash("sha256", "hex"),
    hash("sha256", "base64"),
    hash("sha512", "base64url"),
  ];
  for (const secret of secrets) {
    deepStrictEqual(maskRandomTexts({ color: [secret], size: 1 }), { color: ["********"], size: 1 });
  }
  const open = {
    a: "com.example.OrderPlacedEventHandlerFactoryBean2",
    b: "/usr/Local/share/Enoki2/templates/newsletters/Spring",
    c: "12345678901234567890123456789012345678901234567890",
    d: "My-Service_Name-With-A-Long-Title-Of-2026-Version-2",
    e: "309bce13-8f45-4220-9f8b-a95a088df1f3",
    g: "OrderPlacedEventHandlerFactoryBean2",
    f: [null, true, 7, "short"],
  };
  deepStrictEqual(maskRandomTexts(open), open);
});

Deno.test("maskSecrets() masks by shape under innocent keys", () => {
  deepStrictEqual(maskSecrets({ note: TOKENS["jwt"], list: [TOKENS["amazon"]] }), {
    note: "********",
    list: ["********"],
  });
});

Deno.test("maskShapes() takes a time that is linear in the length of the text", () => {
  for (
    const piece of [
      "-----BEGIN ",
      "-----BEGIN A-----",
      "eyJ",
      "eyJ-",
      "eyJabcdefgh.",
      "Bearer ",
      "Bearer a",
      "basic ",
      "://",
      "://a",
      "a",
      "aA1",
      "sig=",
      "AKIA",
      "sk-",
      "1234567890:",
    ]
  ) {
    const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
    const start = performance.now();
    maskShapes(text);
    const took = performance.now() - start;
    ok(took < 2_000, `${JSON.stringify(piece)} took ${took} ms`);
  }
});
