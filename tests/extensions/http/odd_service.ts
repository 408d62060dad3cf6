import { http, service } from "../../../mod.ts";

let used: Response | undefined;

/** Handlers that do what few do, and streams that end in their own ways. */
export default service("odd", {
  entrypoints: {
    bytes: http("GET", "/bytes/<int:size>"),
    text: http("GET", "/text/<int:size>"),
    faces: http("GET", "/faces/<int:shift>"),
    iterator: http("GET", "/iterator"),
    switching: http("GET", "/switching"),
    nested: http("GET", "/nested"),
    crowded: http("GET", "/crowded"),
    topHeavy: http("GET", "/top-heavy"),
    used: http("GET", "/used"),
    latin: http("GET", "/latin"),
    unicode: http("GET", "/unicode"),
    split: http("GET", "/split"),
    networkError: http("GET", "/network-error"),
    wrongLength: http("GET", "/wrong-length"),
    statusText: http("GET", "/status-text"),
    notModified: http("GET", "/not-modified"),
    item: http("GET", "/items/:id"),
    proxied: http("GET", "/proxied"),
    cyclic: http("GET", "/cyclic"),
    granting: http("GET", "/granting"),
    body: http("POST", "/body"),
    look: http("GET", "/look"),
    work: http("GET", "/work"),
    limited: http("GET", "/limited", { timeout: 300 }),
    limitedStream: http("GET", "/limited-stream", { timeout: 300 }),
    exit: http("GET", "/exit"),
    patient: http("GET", "/patient"),
    ticks: http("GET", "/ticks"),
    download: http("GET", "/download"),
    endless: http("GET", "/endless"),
  },
  handlers: {
    bytes: (_context, _request, { size }) => new Uint8Array(size).fill(97),
    text: (_context, _request, { size }) => "é".repeat(size / 2),
    faces: (_context, _request, { shift }) => "x".repeat(shift) + "\u{1f600}".repeat(100_000),
    *iterator() {
      yield 1;
    },
    switching: () => new Response(null, { status: 101 }),
    nested: () => [200, new Response("inner")],
    crowded: () => [200, Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`x-${n}`, "a"])), ""],
    topHeavy: () => new Response("", { headers: { "x-a": "a".repeat(70_000) } }),
    used: async () => {
      used ??= new Response("once");
      if (!used.bodyUsed) await used.text();
      return used;
    },
    latin: () => [200, { "x-name": "caf\u00e9" }, "latin"],
    unicode: () => [200, { "x-name": "\u20ac" }, "unicode"],
    split: () => [200, { "x-name": "a\r\nset-cookie: b" }, "split"],
    networkError: () => Response.error(),
    wrongLength: () => new Response("abc", { headers: { "content-length": "10" } }),
    statusText: () => new Response("fine", { status: 200, statusText: "Really Fine" }),
    notModified: () => [304, { etag: '"1"' }, "no body here"],
    item: (_context, _request, { id }) => id,
    proxied: (_context, request) => fetch(new URL("/bytes/400000", request.url)),
    cyclic: () => {
      const value: Record<string, unknown> = {};
      value["self"] = value;
      return value;
    },
    granting: () => [200, { "access-control-allow-origin": "https://own.example" }, "granted"],
    body: async (_context, request) => String((await request.bytes()).length),
    look: async (_context, request) => Response.json([request.headers.get("x-name"), await request.text()]),
    work: async (_context, request) => {
      const ms = Number(new URL(request.url).searchParams.get("ms") ?? 5);
      await new Promise((resolve) => setTimeout(resolve, ms));
      return "worked";
    },
    limited: async (_context, request) => {
      const ms = Number(new URL(request.url).searchParams.get("ms"));
      await new Promise((resolve) => setTimeout(resolve, ms));
      return "limited";
    },
    async *limitedStream() {
      await new Promise((resolve) => setTimeout(resolve, 200));
      for (;;) yield "more";
    },
    exit: () => Deno.exit(1),
    async *patient({ call }) {
      yield { event: "begin" };
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      yield { event: "end", data: call.signal.reason.name };
    },
    async *ticks() {
      for (let tick = 0;; tick++) {
        yield { tick };
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async *download() {
      for (let part = 0; part < 20; part++) {
        yield "part ";
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async *endless() {
      for (;;) yield await new Uint8Array(65_536);
    },
  },
});
