/** Callers in Python, and a service of ours: arguments, results, errors, context data, waiting. */
import { deepStrictEqual, equal, match } from "node:assert/strict";
import { authToken, client, language, rpc, service, userAgent, userId } from "../../mod.ts";
import type { Client } from "../../mod.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { type InteropStage, type Law, namekoLaws } from "./laws.ts";

configureLogging({ write: () => {} });

class OutOfStock extends Error {}
class Conflict extends Error {
  readonly data = { order: 7 };
  readonly status = 409;
}

const ERRORS: Readonly<Record<string, () => unknown>> = {
  own: () => new OutOfStock("no mushrooms"),
  type: () => new TypeError("no number"),
  empty: () => new OutOfStock(),
  unicode: () => new OutOfStock("grüße \u{1F344}"),
  data: () => new Conflict("taken"),
  text: () => "only text",
  nothing: () => undefined,
};

/** Our service, and the service in Python that relays to it. */
async function setUp(stage: InteropStage) {
  const [ours, python] = [stage.name("ours"), stage.name("python")];
  Object.assign(stage.names, { ours, python });
  const ended = Promise.withResolvers<void>();
  await stage.ours([service(ours, {
    dependencies: {
      python: client(python, { timeout: 10_000 }),
      language: language(),
      userId: userId(),
      userAgent: userAgent(),
      authToken: authToken(),
    },
    entrypoints: {
      echo: rpc(),
      signature: rpc(),
      keyword_only: rpc({ params: { kwargs: true } }),
      anything: rpc(),
      nothing: rpc(),
      fail: rpc({ expected: ["OutOfStock"] }),
      give: rpc(),
      facts: rpc(),
      who: rpc(),
      wait: rpc(),
      _private: rpc(),
      relay: rpc(),
    },
    handlers: {
      echo: (_context, value: unknown) => value,
      signature: (_context, a: unknown, b: unknown = 1) => [a, b],
      keyword_only: (_context, a: unknown, { limit, page = 1 }: { limit: number; page?: number }) => [
        a,
        limit,
        page,
      ],
      anything: (_context, ...args: readonly unknown[]) => args,
      nothing: () => {},
      fail: (_context, kind: string) => {
        throw ERRORS[kind]!();
      },
      give: (_context, kind: string) =>
        ({
          date: () => new Date("2020-01-02T03:04:05.678Z"),
          surrogate: () => "\ud800",
          map: () => new Map(),
          promise: () => ({ deep: [Promise.resolve(1)] }),
          nan: () => [NaN],
          cycle: () => {
            const cycle: unknown[] = [];
            cycle.push(cycle);
            return cycle;
          },
        })[kind]!(),
      facts: ({ call }) => ({ id: call.id, stack: [...call.stack], data: { ...call.headers } as object }),
      who: ({ language, userId, userAgent, authToken }) => [language, userId, userAgent, authToken],
      wait: () => ended.promise.then(() => "waited"),
      _private: () => "not so private",
      relay: (
        { python }: { readonly python: Client<unknown> },
        method: string,
        ...args: readonly unknown[]
      ) => python[method]!(...args),
    },
  })]);
  await stage.python('serve("rpc_service", python, ours)');
  return { release: () => ended.resolve() };
}

type Stage = Awaited<ReturnType<typeof setUp>> & InteropStage;

/** A law that says what an expression of Python is, or what it raises: class and text. */
function gives(
  law: string,
  expression: string,
  wanted: unknown,
  options: { readonly core?: boolean } = {},
): Law<Stage> {
  return {
    law,
    ...options,
    async prove(stage) {
      const { result, error } = await stage.answer(expression);
      deepStrictEqual(error === undefined ? result : [error.class, error.text], wanted);
    },
  };
}

/** Calls that do not fit `signature(a, b=1)`, to which both runtimes have to give the same answer. */
const MISFITS = [
  "",
  "1, 2, 3",
  "1, zz=2",
  "1, a=2",
  "b=2",
  "1, 2, b=3",
  "a=1, b=2, c=3",
];

/** What both runtimes have to do alike with the same call: Python is the measure. */
function alike(law: string, call: string): Law<Stage> {
  return {
    law,
    async prove(stage) {
      const [theirs, ours] = await Promise.all([
        stage.answer(`caught(lambda: call(python, ${call}))`),
        stage.answer(`caught(lambda: call(ours, ${call}))`),
      ]);
      deepStrictEqual(ours, theirs);
    },
  };
}

namekoLaws("Python calls a service of Enoki", setUp, [
  gives("positional arguments arrive in their order", 'call(ours, "signature", 1, 2)', [1, 2], {
    core: true,
  }),
  gives("keyword arguments arrive by their names", 'call(ours, "signature", b=2, a=1)', [1, 2], {
    core: true,
  }),
  gives("both arrive together", 'call(ours, "signature", 1, b=2)', [1, 2]),
  gives("a default fills what is left out", 'call(ours, "signature", a=5)', [5, 1], { core: true }),
  gives("None is an argument, not a default", 'call(ours, "signature", 1, None)', [1, null]),
  gives("keyword-only arguments reach an object", 'call(ours, "keyword_only", 1, limit=2)', [1, 2, 1]),
  {
    law: "a request of Nameko with delivery_mode 1 is answered",
    core: true,
    async prove(stage) {
      const transient = stage.name("transient");
      const options = { delivery_mode: 1 };
      await stage.python('serve("rpc_service", transient, ours, options=options)', { transient, options });
      const relayed = await stage.python('call(transient, "relay", "signature", 1, b=2)', { transient });
      deepStrictEqual(relayed, [1, 2]);
      await stage.python("kill(transient)", { transient });
    },
  },
  gives("any number of arguments reaches a rest parameter", 'call(ours, "anything", 1, "two", [3])', [
    1,
    "two",
    [3],
  ]),
  gives("a call without arguments is a call", 'call(ours, "nothing")', null, { core: true }),
  gives("a method may begin with an underscore", 'call(ours, "_private")', "not so private"),
  gives("a tuple is an array", 'call(ours, "echo", (1, (2,)))', [1, [2]]),
  gives("keys of a dict become text", 'call(ours, "echo", {1: 2, None: 3, 1.5: 4})', {
    1: 2,
    null: 3,
    1.5: 4,
  }),
  gives(
    "text keeps every character",
    'call(ours, "echo", "a\\u0000\\u2028é\\U0001F344\\"\\\\")',
    'a\0\u2028é\u{1F344}"\\',
  ),
  gives("a lone surrogate passes", 'repr(call(ours, "give", "surrogate"))', "'\\ud800'"),
  gives("a float with nothing behind its point is a number", 'call(ours, "echo", [1.0, 1e22, -0.5])', [
    1,
    1e22,
    -0.5,
  ]),
  gives("dates of ours are text of ISO 8601", 'call(ours, "give", "date")', "2020-01-02T03:04:05.678Z"),
  gives(
    "dates, decimals and UUIDs of Python arrive as text",
    'call(ours, "echo", [datetime.datetime(2020, 1, 2, 3, 4, 5), decimal.Decimal("1.10"), uuid.UUID(int=5)])',
    ["2020-01-02T03:04:05", "1.10", "00000000-0000-0000-0000-000000000005"],
    { core: true },
  ),
  ...MISFITS.map((call) => alike(`signature(${call}) is refused in Python's words`, `"signature", ${call}`)),
  alike("a method that is not there is MethodNotFound", '"absent"'),
  alike("a name of JavaScript's objects is MethodNotFound", '"constructor"'),
  alike("a method that is no entrypoint is MethodNotFound", '"undecorated"'),
  gives("a service that nobody serves is UnknownService", 'call("enoki_interop_nobody", "echo")', [
    "UnknownService",
    "Unknown service `enoki_interop_nobody`",
  ]),
  gives("what a handler throws is a RemoteError of its class", 'call(ours, "fail", "own")', [
    "RemoteError",
    "OutOfStock no mushrooms",
  ], { core: true }),
  gives("an error without a message is one", 'call(ours, "fail", "empty")', ["RemoteError", "OutOfStock "]),
  gives("an error keeps every character", 'call(ours, "fail", "unicode")', [
    "RemoteError",
    "OutOfStock grüße \u{1F344}",
  ]),
  gives("an error with more than a message has class and message", 'call(ours, "fail", "data")', [
    "RemoteError",
    "Conflict taken",
  ]),
  gives("a text that is thrown is an error", 'call(ours, "fail", "text")', [
    "RemoteError",
    "Error only text",
  ]),
  gives("nothing that is thrown is an error", 'call(ours, "fail", "nothing")', [
    "RemoteError",
    "Error undefined",
  ]),
  {
    law: "an error is the class that Python has registered by its path",
    async prove(stage) {
      deepStrictEqual(
        await stage.python('registered(ours + ".OutOfStock", lambda: call(ours, "fail", "own"))'),
        [
          "OutOfStock",
          ["no mushrooms"],
        ],
      );
    },
  },
  ...["map", "promise", "nan", "cycle"].map((kind): Law<Stage> => ({
    law: `a result with a ${kind} is an UnserializableValueError`,
    async prove(stage) {
      const { error } = await stage.answer(`call(ours, "give", "${kind}")`);
      deepStrictEqual([error?.class, error?.exc_type], ["RemoteError", "UnserializableValueError"]);
    },
  })),
  {
    law: "a request without args and kwargs is answered by MalformedRequest",
    async prove(stage) {
      for (const body of ['{"args": []}', '{"kwargs": {}}', "{}"]) {
        deepStrictEqual(await stage.python("request(ours, 'echo', body)", { body }), {
          result: null,
          error: {
            code: "MALFORMED_REQUEST",
            exc_type: "MalformedRequest",
            exc_path: "nameko.exceptions.MalformedRequest",
            exc_args: ["Message missing `args` or `kwargs`"],
            value: "Message missing `args` or `kwargs`",
          },
        });
      }
    },
  },
  {
    law: "requests that Nameko would drop or die of are answered",
    async prove(stage) {
      const answers = [
        ["{", {}],
        ["[]", {}],
        ["null", {}],
        ['{"args": null, "kwargs": {}}', {}],
        ['{"args": [], "kwargs": []}', {}],
        ['{"args": [1], "kwargs": {}}', { content_type: "text/plain" }],
      ] as const;
      for (const [body, properties] of answers) {
        const { error } = await stage.python("request(ours, 'echo', body, **properties)", {
          body,
          properties,
        }) as {
          readonly error: { readonly exc_path: string };
        };
        equal(error.exc_path, "nameko.exceptions.MalformedRequest", body);
      }
    },
  },
  gives(
    "call_async() of a relay gets each answer, also twice",
    'call(python, "relay_together", "echo", [1, 2, 3])',
    [
      3,
      2,
      1,
      1,
    ],
    { core: true },
  ),
  {
    law: "a proxy gives up a method that does not answer, and stays of use",
    async prove(stage) {
      const given = await stage.python('timed_out_then(1, ours, "wait", "nothing")');
      stage.release();
      deepStrictEqual(given, ["RpcTimeout", null]);
    },
  },
  {
    law: "context data arrives and goes on, and None does not",
    core: true,
    async prove(stage) {
      const context = { language: "en", user_id: 7, nothing: null, "dotted.key": [1, { deep: "é" }] };
      const { data, stack, id } = await stage.python('call_with({"context": context}, ours, "facts")', {
        context,
      }) as { readonly data: Record<string, unknown>; readonly stack: string[]; readonly id: string };
      const { nothing: _, ...sent } = context;
      const { traceparent: _trace, ...received } = data;
      deepStrictEqual(received, sent);
      equal(stack.length, 2);
      match(stack[0]!, /^standalone_rpc_(?:proxy\.call|client)\./);
      equal(stack[1], id);
      match(id, new RegExp(String.raw`^${stage.names["ours"]}\.facts\.[0-9a-f-]{36}$`));
    },
  },
  gives(
    "the four providers of context data have what Python sent",
    'call_with({"context": {"language": "en", "user_id": 7, "user_agent": "UA/1", "auth_token": "t"}}, ours, "who")',
    ["en", 7, "UA/1", "t"],
  ),
  gives(
    "Python's providers have what went through us",
    'call_with({"context": {"language": "en", "user_id": 7, "user_agent": "UA/1", "auth_token": "t"}}, ours, "relay", "who")',
    ["en", 7, "UA/1", "t"],
    { core: true },
  ),
  {
    law: "a header without the prefix is context data, and goes on with the prefix",
    async prove(stage) {
      const asked = (service: string) =>
        stage.python(
          `request_facts(${service}, "facts", {"language": "fr", "own": 1, "nameko.language": "de"})`,
        );
      const data = (facts: unknown) => {
        const { traceparent: _, ...rest } = (facts as { readonly data: Record<string, unknown> }).data;
        return rest;
      };
      deepStrictEqual(data(await asked("ours")), { language: "de", own: 1 });
      deepStrictEqual(data(await asked("python")), { language: "de", own: 1 });
    },
  },
  ...[[12, undefined], [3, 1], [3, 0], [0, 0]].map(([received, tracked]): Law<Stage> => ({
    law: `of ${received} former calls, parent_calls_tracked ${tracked ?? "10"} leaves as many as in Python`,
    async prove(stage) {
      const config = tracked === undefined ? {} : { parent_calls_tracked: tracked };
      const names = { tracking: stage.name("tracking"), tracking_python: stage.name("tracking_python") };
      const stack = Array.from({ length: received! }, (_, at) => `before.${at}`);
      await using _ours = await stage.ours([facts(names.tracking)], { config });
      await stage.python('serve("rpc_service", tracking_python, ours, config=config)', { ...names, config });
      const lengths = [];
      for (const name of ["tracking", "tracking_python"]) {
        const facts = await stage.python(`request_facts(${name}, "facts", {"nameko.call_id_stack": stack})`, {
          ...names,
          stack,
        }) as { readonly stack: readonly string[] };
        lengths.push(facts.stack.map((id) => id.split(".", 2)[1]));
      }
      await stage.python("kill(tracking_python)", names);
      deepStrictEqual(lengths[0], lengths[1]);
    },
  })),
]);

function facts(name: string) {
  return service(name, {
    entrypoints: { facts: rpc() },
    handlers: {
      facts: ({ call }) => ({ id: call.id, stack: [...call.stack], data: { ...call.headers } as object }),
    },
  });
}
