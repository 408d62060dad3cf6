import { deepStrictEqual, match, rejects, strictEqual, throws } from "node:assert/strict";
import { z } from "zod";
import { rpc } from "../../../extensions/rpc/mod.ts";
import { encodeRequest } from "../../../extensions/rpc/wire.ts";
import type { AnyEntrypoint, Conversion, Payload } from "../../../runtime/service/entrypoint.ts";
import {
  type AnyFunction,
  parametersOf,
  readParameters,
} from "../../../runtime/service/declared/parameters.ts";
import type { StandardSchema } from "../../../runtime/service/standard_schema.ts";
import { testContext } from "../../../extensions/testing/mod.ts";
import { SILENT_MESSENGER } from "../../fixtures/silent_messenger.ts";

const Order = z.object({ id: z.coerce.number(), note: z.string().default("none") });

/** The conversion of an entrypoint for a handler called "place". */
async function conversionFor(handler: AnyFunction, spec: AnyEntrypoint = rpc()): Promise<Conversion> {
  const parameters = parametersOf(handler, await readParameters({ place: handler }));
  return spec.prepare({ service: "orders", method: "place", parameters, messenger: SILENT_MESSENGER });
}

const { call: CALL } = testContext({ name: "orders", dependencies: {} });

/** What the results answer. */
const REQUEST: Payload = { body: "{}", contentType: undefined, headers: undefined };

async function decoded(
  handler: AnyFunction,
  spec: AnyEntrypoint,
  args: readonly unknown[],
  kwargs?: Record<string, unknown>,
): Promise<readonly unknown[]> {
  const conversion = await conversionFor(handler, spec);
  return await conversion.decode({
    body: encodeRequest(args, kwargs),
    contentType: undefined,
    headers: undefined,
  }, CALL);
}

/** A schema that is no library's, and answers when it is asked or later. */
function schema<Output>(
  validate: (value: unknown) => Output | Promise<Output>,
): StandardSchema<unknown, Output> {
  const settle = (value: Output) => ({ value });
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value) {
        const result = validate(value);
        return result instanceof Promise ? result.then(settle) : settle(result);
      },
    },
  };
}

const place = (_context: unknown, order: unknown, quantity: unknown) => [order, quantity];

Deno.test("rpc() has its options in the manifest and its schemas not", () => {
  const spec = rpc({
    input: Order,
    params: ["order"],
    timeout: 100,
    expected: ["SoldOut"],
    redact: ["order.card"],
  });
  deepStrictEqual(spec.options, { params: ["order"], timeout: 100 });
  deepStrictEqual([spec.kind, spec.expected, spec.redact], ["rpc", ["SoldOut"], ["order.card"]]);
  deepStrictEqual(rpc().options, {});
});

Deno.test("rpc() refuses a timeout that is not positive", () => {
  for (const timeout of [0, -1, NaN]) throws(() => rpc({ timeout }), RangeError);
});

Deno.test("rpc() passes positional arguments on", async () => {
  deepStrictEqual(await decoded(place, rpc(), [{ id: 1 }, 2]), [{ id: 1 }, 2]);
});

Deno.test("rpc() maps keyword arguments to the handler's own parameters", async () => {
  deepStrictEqual(await decoded(place, rpc(), [], { quantity: 2, order: 1 }), [1, 2]);
  deepStrictEqual(await decoded(place, rpc(), [1], { quantity: 2 }), [1, 2]);
});

Deno.test("rpc() maps keyword arguments to the parameters that it states", async () => {
  deepStrictEqual(await decoded(place, rpc({ params: ["what", "many"] }), [], { many: 2, what: 1 }), [1, 2]);
  await rejects(decoded(place, rpc({ params: ["what", "many"] }), [], { order: 1, quantity: 2 }), {
    code: "BAD_REQUEST",
    message: "place() got an unexpected keyword argument 'order'",
  });
});

Deno.test("rpc() takes stated parameters as optional where the handler has a default", async () => {
  const handler = (_context: unknown, order: unknown, quantity = 1) => [order, quantity];
  deepStrictEqual(await decoded(handler, rpc({ params: ["what", "many"] }), [], { what: 1 }), [1]);
});

Deno.test("rpc() knows the parameters of a handler without readable source when they are stated", async () => {
  deepStrictEqual(
    await decoded(place.bind(null), rpc({ params: ["what", "many"] }), [], { many: 2, what: 1 }),
    [
      1,
      2,
    ],
  );
});

Deno.test("rpc() refuses arguments that do not fit in Nameko's words", async () => {
  await rejects(decoded(place, rpc(), [1]), {
    code: "BAD_REQUEST",
    message: "place() missing 1 required positional argument: 'quantity'",
  });
});

Deno.test("rpc() refuses a body that is no request", async () => {
  const { decode } = await conversionFor(place);
  for (const body of ["", "[]", "{", undefined]) {
    const payload = { body, contentType: undefined, headers: undefined };
    throws(() => decode(payload, CALL), { code: "MALFORMED_REQUEST" });
  }
});

Deno.test("rpc() hands the handler what its schema made of the argument", async () => {
  const handler = (_context: unknown, order: unknown) => order;
  deepStrictEqual(await decoded(handler, rpc({ input: Order }), [{ id: "7" }]), [{ id: 7, note: "none" }]);
  deepStrictEqual(await decoded(handler, rpc({ input: Order }), [], { order: { id: "7" } }), [{
    id: 7,
    note: "none",
  }]);
});

Deno.test("rpc() waits for a schema that answers later", async () => {
  const later = schema((value) => Promise.resolve(`<${value}>`));
  const at_once = schema((value) => `(${value})`);
  deepStrictEqual(await decoded(place, rpc({ input: [later, at_once] }), ["a", "b"]), ["<a>", "(b)"]);
});

Deno.test("rpc() checks each argument by its own schema", async () => {
  await rejects(decoded(place, rpc({ input: [Order, z.number("Not a number")] }), [{ id: 1 }, "many"]), {
    name: "BadRequestError",
    code: "BAD_REQUEST",
    message: 'Cannot call "place": argument 2 is not valid: Not a number',
    data: { argument: 1, issues: [{ path: "", message: "Not a number" }] },
  });
});

Deno.test("rpc() says where an argument is not valid", async () => {
  const input = z.object({ rows: z.array(z.object({ id: z.number("Not a number") })) });
  const handler = (_context: unknown, order: unknown) => order;
  await rejects(decoded(handler, rpc({ input }), [{ rows: [{ id: "x" }, { id: "y" }] }]), {
    message: 'Cannot call "place": argument 1 is not valid: rows.0.id: Not a number; rows.1.id: Not a number',
  });
});

Deno.test("rpc() writes results as JSON, nothing as null", async () => {
  const { encode } = await conversionFor(place);
  strictEqual(encode({ at: new Date(0) }, CALL, REQUEST), '{"at":"1970-01-01T00:00:00.000Z"}');
  strictEqual(encode(undefined, CALL, REQUEST), "null");
});

Deno.test("rpc() refuses a result that is no JSON in Nameko's words", async () => {
  const { encode } = await conversionFor(place);
  for (const result of [1n, () => 1, Symbol("s"), new Map(), { deep: 1n }]) {
    throws(() => encode(result, CALL, REQUEST), {
      name: "BadResultError",
      code: "BAD_RESULT",
      message: /^Unserializable value: `/,
    });
  }
});

Deno.test("rpc() writes what its output schema made of the result", async () => {
  const output = z.object({ at: z.date().transform((date) => date.getTime()) });
  const { encode } = await conversionFor(place, rpc({ output }));
  strictEqual(await encode({ at: new Date(5), secret: 1 }, CALL, REQUEST), '{"at":5}');
});

Deno.test("rpc() refuses a result that its output schema refuses", async () => {
  const output = z.object({ total: z.number("Not a number") });
  const { encode } = await conversionFor(place, rpc({ output }));
  await rejects(Promise.resolve(encode({ total: "1" }, CALL, REQUEST)), {
    name: "BadResultError",
    code: "BAD_RESULT",
    message: 'Cannot answer "place": its result is not valid: total: Not a number',
    data: { issues: [{ path: "total", message: "Not a number" }] },
  });
});

Deno.test("rpc() refuses a checked result that is no JSON", async () => {
  const { encode } = await conversionFor(place, rpc({ output: schema(() => 1n) }));
  await rejects(Promise.resolve(encode(1, CALL, REQUEST)), (error: Error) => {
    match(error.message, /^Unserializable value: `1n` returned by "place": /);
    return true;
  });
});

Deno.test("rpc({ params: { kwargs: true } }) gives a destructured parameter the keyword arguments", async () => {
  const spec = rpc({ params: { kwargs: true } });
  const list = (_context: unknown, shop: string, { limit, page = 1 }: { limit: number; page?: number }) => [
    shop,
    limit,
    page,
  ];
  deepStrictEqual(spec.options, { params: { kwargs: true } });
  deepStrictEqual(await decoded(list, spec, ["tea"], { limit: 5 }), ["tea", { limit: 5 }]);
  deepStrictEqual(await decoded(list, spec, [], { limit: 5, shop: "tea" }), ["tea", { limit: 5 }]);
  await rejects(decoded(list, spec, ["tea"], { page: 5 }), {
    reason: "IncorrectSignature",
    message: "place() missing 1 required keyword-only argument: 'limit'",
  });
  await rejects(decoded(list, spec, ["tea"], { limit: 5, paeg: 2 }), {
    reason: "IncorrectSignature",
    message: "place() got an unexpected keyword argument 'paeg'",
  });
  const open = (_context: unknown, { limit, ...rest }: Record<string, unknown>) => [limit, rest];
  deepStrictEqual(await decoded(open, spec, [], { any: 1 }), [{ any: 1 }]);
  const defaulted = (_context: unknown, { limit = 1 }: { limit?: number } = {}) => limit;
  deepStrictEqual(await decoded(defaulted, spec, []), [{}]);
});

Deno.test("rpc({ params }) refuses what it cannot use", async () => {
  const spec = rpc({ params: { kwargs: true } });
  await rejects(conversionFor(() => 0, spec), /its handler has no last parameter for them/);
  await rejects(conversionFor((_context, ...all: unknown[]) => all, spec), /no last parameter/);
  for (const params of [{ kwargs: false }, {}, "order", [1], { kwargs: true, more: 1 }]) {
    throws(
      () => rpc({ params: params as unknown as readonly string[] }),
      /give names, or \{ kwargs: true \}/,
    );
  }
});
