import { z } from "zod";
import { http, service } from "../../../mod.ts";

/** A category has categories: its schema refers to itself. */
interface Category {
  readonly name: string;
  readonly within: readonly Category[];
}

const CATEGORY: z.ZodType<Category> = z.lazy(() =>
  z.object({ name: z.string().min(1), within: z.array(CATEGORY) })
);

const ORDER = z.object({ sku: z.string().min(3), count: z.int().min(1).default(1) }).meta({ id: "Order" });

export default service("shop", {
  entrypoints: {
    show: http("GET", "/orders/<int:id>", {
      input: { query: z.object({ fields: z.enum(["all", "few"]), page: z.coerce.number().int().min(1) }) },
      output: z.object({ id: z.int(), fields: z.string(), page: z.int() }),
    }),
    place: http("POST,PUT", "/orders", {
      summary: "Places an order",
      input: { body: ORDER },
      output: ORDER,
      expected: ["RangeError"],
    }),
    sort: http("POST", "/categories", { input: { body: CATEGORY }, output: CATEGORY }),
    shout: http("POST", "/shout", { input: { body: z.string() }, output: z.string() }),
    file: http("GET", "/<any(a,b):disk>/<uuid:id>/<float:version>/<path:rest>", {
      output: z.object({ disk: z.string(), id: z.string(), version: z.number(), rest: z.string() }),
    }),
    lie: http("GET", "/lie", { output: z.object({ id: z.int() }) }),
  },
  handlers: {
    show: (_context, _request, { id }, { query }) => ({ id, ...query }),
    place: (_context, _request, _params, { body }) => body,
    sort: (_context, _request, _params, { body }) => body,
    shout: (_context, _request, _params, { body }) => body.toUpperCase(),
    file: (_context, _request, params) => params,
    lie: () => ({ id: "none of your business" }),
  },
});
