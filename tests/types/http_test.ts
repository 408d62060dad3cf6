import { strictEqual } from "node:assert/strict";
import { z } from "zod";
import { http } from "../../extensions/http/mod.ts";
import { service } from "../../runtime/service/service.ts";
import type { Equal, Expect } from "./equality.ts";

Deno.test("http() types the rule's variables, in both spellings", () => {
  const web = service("web", {
    entrypoints: {
      plain: http("GET", "/"),
      colon: http("GET", "/orders/:id/items/:item"),
      angles: http("GET", "/<int:a>/<float:b>/<path:c>/<d>/<uuid:e>/<int(min=1):f>"),
      choice: http("GET", "/<any(red,blue):color>"),
      mixed: http("GET", "/v<int:major>.<int:minor>"),
    },
    handlers: {
      plain(context, request, params) {
        type _1 = Expect<Equal<keyof typeof context, "call">>;
        type _2 = Expect<Equal<typeof request, Request>>;
        // deno-lint-ignore ban-types -- no variables
        type _3 = Expect<Equal<typeof params, {}>>;
      },
      colon(_context, _request, params) {
        type _ = Expect<Equal<typeof params, { readonly id: string; readonly item: string }>>;
      },
      angles(_context, _request, params) {
        type _ = Expect<
          Equal<typeof params, {
            readonly a: number;
            readonly b: number;
            readonly c: string;
            readonly d: string;
            readonly e: string;
            readonly f: number;
          }>
        >;
      },
      choice(_context, _request, { color }) {
        type _ = Expect<Equal<typeof color, "red" | "blue">>;
      },
      mixed(_context, _request, params) {
        type _ = Expect<Equal<typeof params, { readonly major: number; readonly minor: number }>>;
      },
    },
  });
  strictEqual(web.entrypoints.colon.kind, "http");
});

Deno.test("http() types what schemas give", () => {
  service("web", {
    entrypoints: {
      place: http("POST", "/orders/:id", {
        input: {
          params: z.object({ id: z.coerce.number() }),
          query: z.object({ page: z.coerce.number() }),
          body: z.object({ name: z.string() }),
        },
      }),
      find: http("GET", "/orders", { input: { query: z.object({ page: z.coerce.number() }) } }),
    },
    handlers: {
      place(_context, _request, params, input) {
        type _1 = Expect<Equal<typeof params, { id: number }>>;
        type _2 = Expect<
          Equal<typeof input, { readonly query: { page: number }; readonly body: { name: string } }>
        >;
      },
      find(_context, _request, _params, input) {
        type _ = Expect<Equal<typeof input, { readonly query: { page: number } }>>;
      },
    },
  });
});

Deno.test("http() does not compile with a variable that the rule does not have", () => {
  service("web", {
    entrypoints: { show: http("GET", "/orders/:id") },
    // @ts-expect-error The rule has no variable "name".
    handlers: { show: (_context, _request, { name }) => name },
  });
});
