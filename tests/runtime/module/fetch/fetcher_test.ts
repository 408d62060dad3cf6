import assert from "node:assert/strict";
import { ServiceLoadError } from "../../../../runtime/message/errors.ts";
import { ModuleFetcher, type ModuleFetcherOptions } from "../../../../runtime/module/fetch/fetcher.ts";
import { ModuleOrigin, redirectTo, TestFolder, typescript } from "../../../fixtures/module_origin.ts";

const TLS = new URL("../../../fixtures/tls/", import.meta.url);
const AUTHORITY = new URL("authority.pem", TLS).pathname;

function fetcher(options: ModuleFetcherOptions = {}): ModuleFetcher {
  return new ModuleFetcher({ cache: false, ...options });
}

async function refused(load: Promise<unknown>, ...texts: readonly string[]): Promise<void> {
  await assert.rejects(load, (error) => {
    assert.ok(error instanceof ServiceLoadError, String(error));
    for (const text of texts) assert.ok(error.message.includes(text), error.message);
    return true;
  });
}

function secureOrigin(replies: ConstructorParameters<typeof ModuleOrigin>[0]): ModuleOrigin {
  return new ModuleOrigin(replies, {
    cert: Deno.readTextFileSync(new URL("localhost.pem", TLS)),
    key: Deno.readTextFileSync(new URL("localhost.key", TLS)),
  });
}

Deno.test("ModuleFetcher.load() gives a remote module with its type and its hash", async () => {
  await using origin = new ModuleOrigin({ "/a.ts": "export default 1;" });
  assert.deepEqual(await fetcher().load(origin.url("/a.ts")), {
    url: origin.url("/a.ts"),
    mediaType: "ts",
    charset: "utf-8",
    text: "export default 1;",
    sha256: "56332e0a55734bc2b73df56a2df8635ed5c5b24b6d7a456b41de7cab9a2f3814",
  });
});

Deno.test("ModuleFetcher.load() reads files", async () => {
  await using folder = new TestFolder();
  await Deno.writeTextFile(folder.file("a.json"), "{}");
  const { mediaType, text } = await fetcher().load(`file://${folder.file("a.json")}`);
  assert.deepEqual([mediaType, text], ["json", "{}"]);
});

Deno.test("ModuleFetcher.load() reads data: URLs", async () => {
  const { mediaType, text } = await fetcher().load("data:text/typescript,export%20default%20%22%C3%A9%22");
  assert.deepEqual([mediaType, text], ["ts", 'export default "é"']);
});

Deno.test("ModuleFetcher.load() says that a file is not there, or is a folder", async () => {
  await using folder = new TestFolder();
  await refused(fetcher().load(`file://${folder.path}/none.ts`), "/none.ts: no such file");
  await refused(fetcher().load(`file://${folder.path}`), "it is a folder");
});

Deno.test("ModuleFetcher.load() refuses URLs of other kinds", async () => {
  await refused(fetcher().load("ftp://example.com/a.ts"), "only file:, data:, http: and https:");
  await refused(fetcher().load("orders"), "it is not a URL");
});

Deno.test("ModuleFetcher.load() asks once for a module that is loaded twice", async () => {
  await using origin = new ModuleOrigin({ "/a.ts": "1", "/b.ts": redirectTo("/a.ts") });
  const modules = fetcher();
  const [one, two] = await Promise.all([
    modules.load(origin.url("/b.ts")),
    modules.load(origin.url("/b.ts")),
  ]);
  assert.equal(one, two);
  assert.equal(await modules.load(origin.url("/a.ts#part")), one);
  assert.deepEqual(origin.asked, ["/b.ts", "/a.ts"]);
});

Deno.test("ModuleFetcher.load() follows redirects and gives the last URL", async () => {
  await using origin = new ModuleOrigin({ "/latest": redirectTo("v1"), "/v1": redirectTo("/v1/mod.ts") });
  origin.set("/v1/mod.ts", "1");
  assert.equal((await fetcher().load(origin.url("/latest"))).url, origin.url("/v1/mod.ts"));
});

Deno.test("ModuleFetcher.load() gives up after ten redirects", async () => {
  await using origin = new ModuleOrigin({ "/a.ts": redirectTo("/a.ts") });
  await refused(fetcher().load(origin.url("/a.ts")), "more than 10 redirects");
  assert.equal(origin.requests.length, 11);
});

Deno.test("ModuleFetcher.load() sends a host's headers to that host alone", async () => {
  await using elsewhere = new ModuleOrigin({ "/b.ts": "1" });
  await using origin = new ModuleOrigin({ "/a.ts": redirectTo(elsewhere.url("/b.ts")) });
  const headers = { [origin.host]: { authorization: "Bearer sesame" } };
  await fetcher({ headers }).load(origin.url("/a.ts"));
  const sent = (of: ModuleOrigin) => of.requests.map(({ headers }) => headers.get("authorization"));
  assert.deepEqual([sent(origin), sent(elsewhere)], [["Bearer sesame"], [null]]);
});

Deno.test("ModuleFetcher.load() loads from no host but the allowed ones", async () => {
  await using elsewhere = new ModuleOrigin({ "/b.ts": "1" });
  await using origin = new ModuleOrigin({ "/a.ts": "1", "/away.ts": redirectTo(elsewhere.url("/b.ts")) });
  const modules = fetcher({ allowImport: [origin.host] });
  await modules.load(origin.url("/a.ts"));
  await refused(modules.load(elsewhere.url("/b.ts")), elsewhere.host, "--allow-import");
  await refused(modules.load(origin.url("/away.ts")), elsewhere.host, "--allow-import");
  assert.deepEqual(elsewhere.asked, []);
});

Deno.test("ModuleFetcher.load() refuses plain http from other machines, before it connects", async () => {
  await refused(fetcher().load("http://code.example/a.ts"), "plain http", "--allow-http");
  await using origin = new ModuleOrigin({ "/a.ts": redirectTo("http://code.example/a.ts") });
  await refused(fetcher().load(origin.url("/a.ts")), "http://code.example/a.ts: plain http");
});

Deno.test("ModuleFetcher.load() takes https with the certificates of its own authority", async () => {
  await using origin = secureOrigin({ "/a.ts": "1" });
  using modules = fetcher({ caCerts: AUTHORITY });
  assert.equal((await modules.load(origin.url("/a.ts"))).text, "1");
});

Deno.test("ModuleFetcher.load() refuses a server that nobody vouches for", async () => {
  await using origin = secureOrigin({ "/a.ts": "1" });
  await refused(fetcher().load(origin.url("/a.ts")), "its server is not trusted", "modules.ca_certs");
});

Deno.test("ModuleFetcher.load() refuses to be led from https to plain http, whatever is allowed", async () => {
  await using plain = new ModuleOrigin({ "/b.ts": "1" });
  await using origin = secureOrigin({ "/a.ts": redirectTo(plain.url("/b.ts")), "/c.ts": "1" });
  using modules = fetcher({ caCerts: AUTHORITY, allowHttp: true });
  await refused(modules.load(origin.url("/a.ts")), "https must not lead to plain http");
  const referrer = origin.url("/c.ts");
  await refused(modules.load(plain.url("/b.ts"), { referrer }), "https must not lead to plain http");
  assert.deepEqual(plain.asked, []);
});

Deno.test("ModuleFetcher.load() lets no remote module import a local one", async () => {
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  const modules = fetcher();
  const referrer = origin.url("/a.ts");
  await refused(modules.load(import.meta.url, { referrer }), "remote code must not import local files");
  await modules.load(import.meta.url, { referrer: "file:///other.ts" });
});

Deno.test("ModuleFetcher.load() lets no remote module import a local one through a data: URL", async () => {
  const modules = fetcher();
  const data = "data:text/javascript,import%20%22file:///etc/secret.json%22";
  await modules.load(data, { referrer: "https://code.example/a.ts" });
  await refused(modules.load(import.meta.url, { referrer: data }), "remote code must not import local files");
});

Deno.test("ModuleFetcher.load() refuses a URL that carries a password, and does not repeat it", async () => {
  const load = fetcher().load("https://ada:sesame@code.example/a.ts?token=sesame&v=1");
  const url = "https://********@code.example/a.ts?token=********&v=1";
  await refused(load, `Cannot load module ${url}: a URL must not carry a password`);
  await assert.rejects(load, (error: Error) => !error.message.includes("sesame"));
});

Deno.test("ModuleFetcher.load() names the status that it gets", async () => {
  await using origin = new ModuleOrigin({
    "/secret.ts": () => new Response(null, { status: 401 }),
    "/busy.ts": () => new Response(null, { status: 503 }),
  });
  await refused(fetcher().load(origin.url("/none.ts")), "status 404. Check the URL");
  await refused(fetcher().load(origin.url("/secret.ts")), "status 401", "modules.headers");
  await refused(fetcher().load(origin.url("/busy.ts")), "status 503. Try again later");
});

Deno.test("ModuleFetcher.load() says that nothing answers", async () => {
  const origin = new ModuleOrigin();
  const url = origin.url("/a.ts?token=sesame");
  await origin[Symbol.asyncDispose]();
  await refused(
    fetcher().load(url),
    `Cannot load module ${url.replace("sesame", "********")}: connection refused`,
  );
});

Deno.test("ModuleFetcher.load() gives up after its time limit", async () => {
  const held = Promise.withResolvers<Response>();
  await using origin = new ModuleOrigin({ "/a.ts": () => held.promise });
  try {
    await refused(fetcher({ timeout: 20 }).load(origin.url("/a.ts")), "within 20 ms", "modules.timeout");
  } finally {
    held.resolve(new Response());
  }
});

Deno.test("ModuleFetcher.load() counts a body that never ends among its time", async () => {
  await using origin = new ModuleOrigin({
    "/a.ts": () => new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(1)) })),
  });
  await refused(fetcher({ timeout: 50 }).load(origin.url("/a.ts")), "within 50 ms");
});

Deno.test("ModuleFetcher.load() rejects with the reason of its signal", async () => {
  const held = Promise.withResolvers<Response>();
  await using origin = new ModuleOrigin({ "/a.ts": () => held.promise });
  const abort = new AbortController();
  const load = fetcher().load(origin.url("/a.ts"), { signal: abort.signal });
  abort.abort(new RangeError("enough"));
  await assert.rejects(load, { name: "RangeError", message: "enough" });
  held.resolve(new Response());
});

Deno.test("ModuleFetcher.load() refuses a module that is too large, and stops reading it", async () => {
  const cancelled = Promise.withResolvers<void>();
  await using origin = new ModuleOrigin({
    "/a.ts": () =>
      new Response(
        new ReadableStream({
          pull: (body) => body.enqueue(new Uint8Array(1_000)),
          cancel: () => cancelled.resolve(),
        }),
      ),
  });
  await refused(
    fetcher({ maxBytes: 5_000 }).load(origin.url("/a.ts")),
    "more than 5000 bytes",
    "modules.max_size",
  );
  await cancelled.promise;
});

Deno.test("ModuleFetcher.load() refuses modules that are too large together", async () => {
  await using origin = new ModuleOrigin({ "/a.ts": "12345", "/b.ts": "12345" });
  const modules = fetcher({ maxTotalBytes: 9 });
  await modules.load(origin.url("/a.ts"));
  await refused(modules.load(origin.url("/b.ts")), "more than 9 bytes", "modules.max_total_size");
});

Deno.test("ModuleFetcher.load() refuses what is no module", async () => {
  await using origin = new ModuleOrigin({
    "/page": () => new Response("<p>", { headers: { "content-type": "text/html; charset=utf-8" } }),
    "/broken.ts": () => typescriptBytes([0xff, 0xfe, 0xfd]),
  });
  await refused(fetcher().load(origin.url("/page")), "its content type is text/html", "Check the URL");
  await refused(fetcher().load(origin.url("/broken.ts")), "it is not text in utf-8");
});

function typescriptBytes(bytes: readonly number[]): Response {
  return new Response(new Uint8Array(bytes), { headers: typescript("").headers });
}

Deno.test("ModuleFetcher refuses to be made with a host that is none", () => {
  assert.throws(() => fetcher({ allowImport: ["https://code.example"] }), TypeError);
});

Deno.test("ModuleFetcher takes its options as they come back from JSON", async () => {
  await using origin = new ModuleOrigin({ "/a.ts": "1" });
  const options: ModuleFetcherOptions = {
    cache: false,
    allowImport: ["127.0.0.1"],
    headers: {},
    timeout: 5_000,
  };
  const modules = new ModuleFetcher(JSON.parse(JSON.stringify(options)));
  assert.equal((await modules.load(origin.url("/a.ts"))).text, "1");
});
