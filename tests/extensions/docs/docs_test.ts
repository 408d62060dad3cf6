import assert from "node:assert/strict";
import { ingredients } from "../../../extensions/cli/compile/compiled_config.ts";
import { docsFile } from "../../../extensions/docs/mod.ts";
import { unneededFiles } from "../../../extensions/docs/renderer.ts";
import { browserTest } from "../../fixtures/chromium.ts";
import { serveHttp } from "../http/web_stage.ts";

const SHOP = new URL("../http/openapi_service.ts", import.meta.url).pathname;
const PAYMENTS = new URL("../../fixtures/services/described_payments.ts", import.meta.url).pathname;

Deno.test("HTTP_DOCS has the page served with all that it needs, and lets it load nothing from elsewhere", async () => {
  await using running = await serveHttp([SHOP, PAYMENTS], { HTTP_DOCS: true, HTTP_ASYNCAPI: true });
  const page = await fetch(`${running.http}/docs`);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  const policy = page.headers.get("content-security-policy")!;
  assert.match(policy, /^default-src 'none'; script-src 'self'; /);
  assert.match(policy, /; connect-src 'self'; /);
  const html = await page.text();
  const addresses = [...html.matchAll(/(?:src|href|data-openapi)="([^"]+)"/g)].map(([, address]) => address!);
  assert.ok(addresses.includes("openapi.json") && addresses.includes("docs/asyncapi"), html);
  for (const address of addresses) {
    const url = new URL(address, `${running.http}/docs`);
    assert.equal(url.origin, running.http);
    const response = await fetch(url);
    await response.body?.cancel();
    assert.equal(response.status, 200, address);
    assert.match(response.headers.get("content-type")!, TYPES[/\w+$/.exec(address)![0]]!);
    assert.equal(
      response.headers.get("x-content-type-options"),
      address.endsWith(".json") ? null : "nosniff",
    );
  }
});

/** What the types of files begin with, by their endings. */
const TYPES: Readonly<Record<string, RegExp>> = {
  asyncapi: /^text\/html/,
  css: /^text\/css/,
  js: /^text\/javascript/,
  json: /^application\/json/,
  png: /^image\/png/,
};

Deno.test("a browser that has a file of the page gets it no second time", async () => {
  await using running = await serveHttp([SHOP], { HTTP_DOCS: "/api/docs" });
  const url = `${running.http}/api/docs/swagger-ui-bundle.js`;
  const first = await fetch(url);
  await first.body?.cancel();
  const etag = first.headers.get("etag")!;
  const second = await fetch(url, { headers: { "if-none-match": etag } });
  assert.deepEqual([second.status, await second.text()], [304, ""]);
  const missing = await fetch(`${running.http}/api/docs/package.json`);
  assert.deepEqual([missing.status, await missing.text()], [404, "There is no file package.json here\n"]);
});

Deno.test("HTTP_DOCS is off by default, and needs a document", async () => {
  await using running = await serveHttp([SHOP], { HTTP_OPENAPI: true });
  const response = await fetch(`${running.http}/docs`);
  await response.body?.cancel();
  assert.equal(response.status, 404);
  for (const config of [{ HTTP_DOCS: 7 }, { HTTP_DOCS: "docs" }, { HTTP_DOCS: true, HTTP_OPENAPI: false }]) {
    await assert.rejects(serveHttp([SHOP], config), (error: Error) => {
      assert.match(error.message, /^Cannot use config key "HTTP_DOCS": got /);
      return true;
    });
  }
});

Deno.test("docsFile() writes texts of others as texts into the page", async () => {
  const { body, headers } = (await docsFile("", {
    openapi: 'a.json"><script>',
    title: "<b>&",
    origins: ["https://api.example.org"],
  }))!;
  assert.match(String(body), /data-openapi="a\.json&quot;>&lt;script>"/);
  assert.match(String(body), /<title>&lt;b>&amp;<\/title>/);
  assert.match(headers["content-security-policy"]!, /; connect-src 'self' https:\/\/api\.example\.org; /);
  assert.equal(await docsFile("nothing.js", {}), undefined);
});

Deno.test("a binary gets the page with its configuration, and of its packages only what the page needs", async () => {
  const config = (text: string) => ({ path: "app.yaml", text });
  const env = { get: () => undefined };
  assert.deepEqual((await ingredients(config("HTTP_DOCS: /api"), {}, env)).parts, ["docs"]);
  assert.deepEqual((await ingredients(config("HTTP_DOCS: false"), {}, env)).parts, []);
  const unneeded = (await unneededFiles()).map((path) => path.slice(path.lastIndexOf("/") + 1));
  assert.ok(unneeded.includes("swagger-ui-bundle.js.map"));
  assert.ok(!unneeded.includes("swagger-ui-bundle.js") && !unneeded.includes("absolute-path.js"));
});

browserTest("the pages of HTTP_DOCS list what there is, and try an operation out", async (browser) => {
  await using running = await serveHttp([SHOP, PAYMENTS], { HTTP_DOCS: true, HTTP_ASYNCAPI: true });
  const page = await browser.open(`${running.http}/docs`);
  await page.shows("Places an order");
  // A page that draws itself anew may lose a click, so the click comes again until it has had its effect.
  const click = (part: string, effect: string) =>
    page.evaluate(`new Promise((resolve) => {
      const press = () => {
        const operation = document.getElementById("operations-shop-shop\\\\.shout");
        if (operation.querySelector("${effect}")) return resolve(true);
        operation.querySelector("${part}")?.click();
        setTimeout(press, operation.querySelector("${effect}") ? 0 : 1000);
      };
      press();
    })`);
  await click(".opblock-summary-control", ".execute");
  await page.shows("Execute");
  await click(".execute", ".btn-clear");
  await page.shows("STRING");
  const messages = await browser.open(`${running.http}/docs/asyncapi`);
  await messages.shows("Request of payments.charge");
});
