import { z } from "zod";
import { http, service } from "../../../mod.ts";

/** What has happened in a thread: the one thread where it matters. */
const notes: string[] = [];

class Teapot extends Error {
  readonly status = 418;
}

export default service("web", {
  entrypoints: {
    text: http("GET", "/text"),
    json: http("GET", "/json"),
    bytes: http("GET", "/bytes"),
    nothing: http("GET", "/nothing"),
    blob: http("GET", "/blob"),
    fields: http("GET", "/fields"),
    discarded: http("GET", "/discarded"),
    list: http("GET", "/list"),
    tuple: http("GET", "/tuple"),
    large: http("GET", "/large"),
    echo: http("POST,PUT", "/echo"),
    facts: http("GET", "/facts/:id/<path:rest>"),
    cookies: http("GET", "/cookies"),
    expected: http("GET", "/expected", { expected: ["Teapot", "TypeError"] }),
    unexpected: http("GET", "/unexpected"),
    check: http("POST", "/check/<int:id>", {
      input: {
        query: z.object({ page: z.coerce.number().default(1) }),
        body: z.object({ name: z.string() }),
      },
    }),
    spin: http("GET", "/spin"),
    late: http("GET", "/late", { timeout: 50 }),
    exit: http("GET", "/exit"),
    wait: http("GET", "/wait"),
    folder: http("GET", "/folder/"),
    endless: http("GET", "/endless"),
    feed: http("GET", "/feed"),
    lines: http("GET", "/lines"),
    broken: http("GET", "/broken"),
    slowly: http("GET", "/slowly"),
    notes: http("GET", "/notes"),
  },
  handlers: {
    text: () => "text",
    json: () => ({ a: [1, null], at: new Date(0) }),
    bytes: () => new Uint8Array([1, 2, 255]),
    nothing: () => {},
    blob: () => [201, { "x-a": "b" }, new Blob(["a,b"], { type: "text/csv" })],
    fields: () => new URLSearchParams({ a: "1 2" }),
    discarded: (_context, request) =>
      request.url.endsWith("stream")
        ? [204, new ReadableStream({ cancel: () => void notes.push("cancelled") })]
        : [204, {
          [Symbol.asyncIterator]: () => ({
            next: () => Promise.resolve({ done: false, value: "never" }),
            return: () => {
              notes.push("returned");
              return Promise.resolve({ done: true, value: undefined });
            },
          }),
        }],
    list: () => [1, 2, 3],
    tuple: () => [404, { "x-a": "b" }, { missing: true }],
    large: () => "large ".repeat(10_000),
    echo: async (_context, request) =>
      new Response(await request.bytes(), {
        status: 201,
        headers: { "content-type": request.headers.get("content-type") ?? "none" },
      }),
    facts: ({ call }, request, params) => ({
      params,
      url: new URL(request.url).search,
      id: request.headers.get("x-request-id"),
      data: call.headers,
    }),
    cookies: () => {
      const response = new Response("two");
      response.headers.append("set-cookie", "a=1");
      response.headers.append("set-cookie", "b=2");
      return response;
    },
    expected: (_context, request) => {
      if (request.url.endsWith("teapot")) throw new Teapot("short and stout");
      throw new TypeError("not so");
    },
    unexpected: () => {
      throw new Error("secret detail");
    },
    check: (_context, _request, params, input) => ({ params, input }),
    spin: () => {
      for (;;);
    },
    late: () => new Promise(() => {}),
    exit: () => Deno.exit(1),
    async wait({ call }, request) {
      const aborted = Promise.withResolvers<void>();
      call.signal.addEventListener("abort", () => notes.push(`call ${call.signal.reason.name}`));
      request.signal.addEventListener("abort", () => {
        notes.push("request aborted");
        aborted.resolve();
      });
      notes.push("waiting");
      const limit = setTimeout(
        aborted.resolve,
        Number(new URL(request.url).searchParams.get("ms") ?? 60_000),
      );
      await aborted.promise;
      clearTimeout(limit);
      return "waited";
    },
    folder: () => "folder",
    async *endless() {
      try {
        for (let sent = 0;; sent++) {
          notes[0] = `sent ${sent}`;
          yield new Uint8Array(65_536);
        }
      } finally {
        notes.push("ended");
      }
    },
    async *feed() {
      yield { event: "price", id: 1, data: { at: 7 } };
      yield { anything: ["else"] };
      yield "two\nlines";
    },
    lines: () => [200, { "content-type": "application/x-ndjson" }, numbers()],
    broken: () => [200, { "content-type": "text/plain" }, breaking()],
    slowly: () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode("first "));
            setTimeout(() => {
              controller.enqueue(new TextEncoder().encode("second"));
              controller.close();
            }, 50);
          },
        }),
      ),
    notes: () => Response.json(notes),
  },
});

async function* numbers() {
  for (const number of [1, 2, 3]) yield `${await number}\n`;
}

async function* breaking() {
  yield "a";
  await null;
  throw new Error("broke");
}
