/** The same HTTP entrypoints in both runtimes: a request has the same answer, but where the guide says otherwise. */
import { deepStrictEqual, equal } from "node:assert/strict";
import { http, type Service, service } from "../../mod.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { freePort } from "../fixtures/free_port.ts";
import { type InteropStage, type Law, namekoLaws } from "./laws.ts";

configureLogging({ write: () => {} });

class OutOfStock extends Error {}

/** What `http_service` of `world_services.py` is. */
const MIRROR = service("mirror", {
  entrypoints: {
    text: http("GET", "/text"),
    item: http("GET", "/item/<int:value>"),
    real: http("GET", "/float/<float:value>"),
    path: http("GET", "/path/<path:value>"),
    any: http("GET", "/any/<any(a,b):value>"),
    name_of: http("GET", "/name/<value>"),
    folder: http("GET", "/folder/"),
    methods: http("GET,POST", "/methods"),
    body: http("POST", "/body"),
    query: http("GET", "/query"),
    status: http("GET", "/status"),
    headers: http("GET", "/headers"),
    typed: http("GET", "/typed"),
    response: http("GET", "/response"),
    fails: http("GET", "/fails"),
    expected: http("GET", "/expected", { expected: ["OutOfStock"] }),
    number: http("GET", "/number"),
    nothing: http("GET", "/nothing"),
  },
  handlers: {
    text: () => "grüße",
    item: (_context, _request, { value }) => `${value}`,
    real: (_context, _request, { value }) => `${value}`,
    path: (_context, _request, { value }) => value,
    any: (_context, _request, { value }) => value,
    name_of: (_context, _request, { value }) => value,
    folder: () => "folder",
    methods: (_context, request) => request.method,
    body: (_context, request) => request.text(),
    query: (_context, request) => new URL(request.url).searchParams.get("q") ?? "none",
    status: (): [number, string] => [403, "Forbidden"],
    headers: (): [
      number,
      Record<string, string>,
      string,
    ] => [201, { "Location": "/widget/1", "X-Own": "1" }, "made"],
    typed: (): [
      number,
      Record<string, string>,
      string,
    ] => [200, { "Content-Type": "application/json" }, "[1]"],
    response: () =>
      new Response("payload", { status: 202, headers: { "content-type": "text/html; charset=utf-8" } }),
    fails: () => {
      throw new OutOfStock("no mushrooms");
    },
    expected: () => {
      throw new OutOfStock("no mushrooms");
    },
    number: () => 5,
    nothing: () => undefined,
  },
});

async function setUp(stage: InteropStage) {
  const [theirs, ours] = [freePort(), freePort()];
  const config = { WEB_SERVER_ADDRESS: `127.0.0.1:${theirs}` };
  await stage.python("serve('http_service', name, config=config)", { name: stage.name("mirror"), config });
  await stage.ours([MIRROR as unknown as Service], { config: { WEB_SERVER_ADDRESS: `127.0.0.1:${ours}` } });
  return { theirs, mirror: ours };
}

type Stage = InteropStage & Awaited<ReturnType<typeof setUp>>;

/** The headers that handlers and rules decide. */
const HEADERS = ["content-type", "content-length", "location", "x-own"] as const;

async function answer(port: number, path: string, init: RequestInit = {}) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init });
  const text = await response.text();
  const headers = HEADERS.map((name) => response.headers.get(name)?.replace(/^http:\/\/[^/]+/, "") ?? null);
  return { status: response.status, headers, allow: response.headers.get("allow"), text };
}

/** Requests that both answer alike: status, headers and body. */
const ALIKE: readonly (readonly [string, RequestInit?])[] = [
  ["/text"],
  ["/text", { method: "HEAD" }],
  ["/item/5"],
  ["/item/007"],
  ["/float/1.5"],
  ["/path/a/b/c"],
  ["/any/a"],
  ["/name/gr%C3%BC%C3%9Fe"],
  ["/name/a%20b"],
  ["/folder/"],
  ["/methods"],
  ["/methods", { method: "POST", body: "" }],
  ["/body", { method: "POST", body: "grüße" }],
  ["/query?q=a%26b&q=c"],
  ["/query"],
  ["/status"],
  ["/headers"],
  ["/typed"],
  ["/response"],
  ["/expected"],
];

/** Requests for which nobody is there: the status is alike, and the page that says so is not. */
const REFUSED: readonly (readonly [string, number, RequestInit?])[] = [
  ["/absent", 404],
  ["/item/-5", 404],
  ["/item/five", 404],
  ["/float/1", 404],
  ["/any/c", 404],
  ["/name/a/b", 404],
  ["/TEXT", 404],
  ["/text/", 404],
  ["/folder", 308],
  ["/text", 405, { method: "POST", body: "" }],
  ["/fails", 500],
];

namekoLaws("HTTP of Nameko and of Enoki", setUp, [
  ...ALIKE.map(([path, init]): Law<Stage> => ({
    law: `${init?.method ?? "GET"} ${path} has the same status, headers and body`,
    async prove({ theirs, mirror }) {
      deepStrictEqual(await answer(mirror, path, init), await answer(theirs, path, init));
    },
  })),
  ...REFUSED.map(([path, status, init]): Law<Stage> => ({
    law: `${init?.method ?? "GET"} ${path} is ${status} in both`,
    async prove({ theirs, mirror }) {
      for (const port of [theirs, mirror]) equal((await answer(port, path, init)).status, status);
    },
  })),
  {
    law: "405 names what is allowed, in both",
    async prove({ theirs, mirror }) {
      const allowed = async (port: number) =>
        (await answer(port, "/methods", { method: "DELETE" })).allow!.split(", ").filter((name) =>
          name !== "OPTIONS"
        )
          .toSorted();
      deepStrictEqual(await allowed(mirror), await allowed(theirs));
    },
  },
  {
    law: "a result that is no text is JSON or nothing for us, where it is an error for Nameko",
    async prove({ theirs, mirror }) {
      deepStrictEqual([(await answer(theirs, "/number")).status, (await answer(theirs, "/nothing")).status], [
        500,
        500,
      ]);
      const [number, nothing] = [await answer(mirror, "/number"), await answer(mirror, "/nothing")];
      deepStrictEqual([number.status, number.text, nothing.status], [200, "5", 204]);
    },
  },
]);
