import assert from "node:assert/strict";
import type { ConfigValue } from "../../../extensions/run.ts";
import { ODD_SERVICE, serveHttp } from "./web_stage.ts";

const SHOP = "https://shop.example";
const HEADERS = [
  "allow-origin",
  "allow-credentials",
  "expose-headers",
  "allow-methods",
  "allow-headers",
  "max-age",
];

/** The headers that grant something, without those that are not there, and `vary`. */
async function granted(url: string, init: RequestInit): Promise<Readonly<Record<string, string>>> {
  const response = await fetch(url, init);
  await response.body?.cancel();
  const found = [
    ...HEADERS.map((name) => [name, response.headers.get(`access-control-${name}`)] as const),
    [
      "vary",
      response.headers.get("vary"),
    ] as const,
  ];
  return Object.fromEntries(found.filter((pair): pair is [string, string] => pair[1] !== null));
}

const NO_CREDENTIALS = {
  "allow-methods": "GET, HEAD, OPTIONS",
  "allow-headers": "x-a, x-b",
  "max-age": "600",
};

/** `HTTP_CORS`; what a page of an origin is granted, and what its preflight request is granted beside. */
const CASES:
  readonly (readonly [string, ConfigValue, string, Record<string, string>, Record<string, string>])[] = [
    ["a text", SHOP, SHOP, { "allow-origin": SHOP, vary: "origin" }, NO_CREDENTIALS],
    ["a text, for another origin", SHOP, "https://evil.example", { vary: "origin" }, NO_CREDENTIALS],
    ["*", "*", SHOP, { "allow-origin": "*" }, NO_CREDENTIALS],
    ["a list", ["https://a.example", SHOP], SHOP, { "allow-origin": SHOP, vary: "origin" }, NO_CREDENTIALS],
    [
      "a mapping",
      {
        origins: [SHOP],
        credentials: true,
        headers: ["x-only"],
        expose: ["x-request-id", "location"],
        max_age: 5,
      },
      SHOP,
      {
        "allow-origin": SHOP,
        "allow-credentials": "true",
        "expose-headers": "x-request-id, location",
        vary: "origin",
      },
      { ...NO_CREDENTIALS, "allow-headers": "x-only", "max-age": "5" },
    ],
  ];

for (const [name, cors, origin, simple, preflight] of CASES) {
  Deno.test(`HTTP_CORS given as ${name}`, async () => {
    await using running = await serveHttp([ODD_SERVICE], { HTTP_CORS: cors });
    const url = `${running.http}/items/7`;
    assert.deepEqual(await granted(url, { headers: { origin } }), simple);
    const asking = {
      origin,
      "access-control-request-method": "GET",
      "access-control-request-headers": "x-a, x-b",
    };
    assert.deepEqual(await granted(url, { method: "OPTIONS", headers: asking }), { ...simple, ...preflight });
  });
}

Deno.test("HTTP_CORS tells caches that answers differ, where no origin asks", async () => {
  await using running = await serveHttp([ODD_SERVICE], { HTTP_CORS: SHOP });
  assert.deepEqual(await granted(`${running.http}/items/7`, {}), { vary: "origin" });
});

Deno.test("HTTP_CORS lets pages read errors, too", async () => {
  await using running = await serveHttp([ODD_SERVICE], { HTTP_CORS: SHOP });
  for (const path of ["/nowhere", "/cyclic"]) {
    const found = await granted(running.http + path, { headers: { origin: SHOP } });
    assert.equal(found["allow-origin"], SHOP, path);
  }
});

Deno.test("nothing is granted without HTTP_CORS", async () => {
  await using running = await serveHttp([ODD_SERVICE]);
  assert.deepEqual(await granted(`${running.http}/items/7`, { headers: { origin: SHOP } }), {});
});

Deno.test("HTTP_CORS does not let every page there is send cookies", async () => {
  for (const origins of ["*", [SHOP, "*"]]) {
    await assert.rejects(serveHttp([ODD_SERVICE], { HTTP_CORS: { origins, credentials: true } }), {
      name: "ConfigurationError",
      message:
        `Cannot use config key "HTTP_CORS.origins": got ${
          JSON.stringify(origins)
        }, expected a list of trusted ` +
        "origins: with credentials, * would trust every page",
    });
  }
});

Deno.test("HTTP_CORS leaves a response alone that grants by itself", async () => {
  await using running = await serveHttp([ODD_SERVICE], { HTTP_CORS: { origins: [SHOP], credentials: true } });
  const response = await fetch(`${running.http}/granting`, { headers: { origin: SHOP } });
  await response.body?.cancel();
  assert.equal(response.headers.get("access-control-allow-origin"), "https://own.example");
  assert.equal(response.headers.get("access-control-allow-credentials"), null);
});

for (const cors of [true, 7, {}, { origins: 7 }, { credentials: true }]) {
  Deno.test(`HTTP_CORS is refused as ${JSON.stringify(cors)}`, async () => {
    await assert.rejects(serveHttp([ODD_SERVICE], { HTTP_CORS: cors }), { name: "ConfigurationError" });
  });
}
