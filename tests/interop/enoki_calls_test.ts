/** Callers of ours, and a service in Python: arguments, results, errors, waiting, times, the reply queue. */
import { deepStrictEqual, equal, ok, rejects } from "node:assert/strict";
import {
  BadRequestError,
  CallTimeoutError,
  MethodNotFoundError,
  RemoteError,
  rpc,
  type Service,
  service,
  UnknownServiceError,
} from "../../mod.ts";
import type { Connection } from "../../extensions/run.ts";
import type { Transport } from "../../runtime/message/transport.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { type InteropStage, type Law, namekoLaws } from "./laws.ts";

configureLogging({ write: () => {} });

async function setUp(stage: InteropStage) {
  const python = stage.name("python");
  Object.assign(stage.names, { python });
  await stage.python('serve("rpc_service", python, python)');
  const connected = await stage.cluster();
  return { connected, served: python, client: connected.client(python) };
}

interface Extra {
  readonly connected: Connection;
  readonly served: string;
  readonly client: ReturnType<Connection["client"]>;
}

type Stage = InteropStage & Extra;

/** A law about what an expression of Python, as the result of a method, is for us. */
function result(expression: string, wanted: unknown, options: { readonly core?: boolean } = {}): Law<Stage> {
  return {
    law: `${expression} arrives as ${Deno.inspect(wanted)}`,
    ...options,
    prove: async ({ client }) => deepStrictEqual(await client["give"]!(expression), wanted),
  };
}

/** A law about what a value of ours is in Python. */
function argument(value: unknown, wanted: string, options: { readonly core?: boolean } = {}): Law<Stage> {
  return {
    law: `${Deno.inspect(value)} is ${wanted} in Python`,
    ...options,
    prove: async ({ client }) => equal(await client["show"]!(value), wanted),
  };
}

/** A law about what an exception of Python is for us: name, message and arguments, of which all but text has become text. */
function raised(
  expression: string,
  name: string,
  message: string,
  args: readonly unknown[],
  options: { readonly core?: boolean } = {},
): Law<Stage> {
  return {
    law: `an exception ${expression} is a RemoteError with its name, message and arguments`,
    ...options,
    async prove({ client }) {
      await rejects(client["fail"]!(expression), (error: Error) => {
        ok(error instanceof RemoteError);
        deepStrictEqual([error.remoteName, error.remoteMessage, error.remoteArgs], [name, message, args]);
        return true;
      });
    },
  };
}

namekoLaws("Enoki calls a service of Python", setUp, [
  {
    law: "positional and keyword arguments arrive, and defaults fill what is left out",
    core: true,
    async prove({ client }) {
      deepStrictEqual(await client["signature"]!(1, 2), [1, 2]);
      deepStrictEqual(await client["signature"]!(1), [1, 1]);
      deepStrictEqual(await client["signature"]!.kwargs({ b: 3, a: 2 }), [2, 3]);
      deepStrictEqual(await client["signature"]!.kwargs({ b: 3 }, 1), [1, 3]);
      deepStrictEqual(await client["keyword_only"]!.kwargs({ limit: 2 }, "a"), ["a", 2, 1]);
      deepStrictEqual(await client["anything"]!.kwargs({ x: 1, y: [2] }, 1, "two"), [[1, "two"], {
        x: 1,
        y: [2],
      }]);
      equal(await client["nothing"]!(), null);
    },
  },
  result('(1, (2, "x"))', [1, [2, "x"]], { core: true }),
  result("{1: 2, None: 3, 1.5: [True]}", { "1": 2, "null": 3, "1.5": [true] }),
  result("[1.0, 1e22, -0.5, 10**15]", [1, 1e22, -0.5, 10 ** 15]),
  result('"\\ud800 \\u2028 é"', "\ud800 \u2028 é"),
  result("[float('nan'), float('-inf')]", [NaN, -Infinity]),
  result("datetime.datetime(2020, 1, 2, 3, 4, 5, 6)", "2020-01-02T03:04:05.000006", { core: true }),
  result('decimal.Decimal("1.10")', "1.10", { core: true }),
  result("uuid.UUID(int=5)", "00000000-0000-0000-0000-000000000005", { core: true }),
  argument(
    { text: "grüße \u{1F344}", list: [1, -2.5, null, true] },
    "{'text': 'grüße \u{1F344}', 'list': [1, -2.5, None, True]}",
  ),
  argument([1, 1.5, 2 ** 53, -0], "[1, 1.5, 9007199254740992, 0]"),
  argument("\ud800", "'\\ud800'"),
  argument(new Date("2020-01-02T03:04:05.678Z"), "'2020-01-02T03:04:05.678Z'", { core: true }),
  argument(undefined, "None"),
  argument({ left: undefined, kept: null }, "{'kept': None}"),
  {
    law: "an argument that JSON has not is refused before it is sent",
    async prove({ client }) {
      for (const value of [NaN, () => 1, Promise.resolve(1), 10n, new Error("no")]) {
        await rejects(async () => await client["echo"]!(value), TypeError);
      }
    },
  },
  raised('OutOfStock("no mushrooms")', "OutOfStock", "no mushrooms", ["no mushrooms"], { core: true }),
  raised('KeyError("missing")', "KeyError", "'missing'", ["missing"]),
  raised("OutOfStock()", "OutOfStock", "", []),
  raised('OutOfStock("boom", 42, {"k": (1, 2)}, None)', "OutOfStock", "('boom', 42, {'k': (1, 2)}, None)", [
    "boom",
    "42",
    { k: ["1", "2"] },
    "None",
  ]),
  raised('OutOfStock("grüße \u{1F344}")', "OutOfStock", "grüße \u{1F344}", ["grüße \u{1F344}"]),
  {
    law: "an exception that Python expects is one for us, too",
    async prove({ client }) {
      await rejects(client["fail_as_expected"]!("no"), { remoteName: "ValueError", remoteMessage: "no" });
    },
  },
  {
    law: "a result that Python cannot send is an error with Nameko's name for it",
    core: true,
    async prove({ client }) {
      await rejects(client["give"]!("{1, 2}"), {
        remoteName: "UnserializableValueError",
        remoteMessage: "Unserializable value: `{1, 2}`",
      });
    },
  },
  {
    law: "a method that is not there is a MethodNotFoundError, also where Python has one without a decorator",
    core: true,
    async prove({ client }) {
      for (const method of ["absent", "undecorated", "__init__"]) {
        await rejects(client[method]!(), (error: Error) => {
          ok(error instanceof MethodNotFoundError);
          equal((error.data as { readonly method: string }).method, method);
          return true;
        });
      }
    },
  },
  {
    law: "arguments that do not fit are a BadRequestError in Python's words",
    core: true,
    async prove({ client }) {
      const refusals: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
        [() => client["signature"]!(), /missing 1 required positional argument: 'a'/],
        [() => client["signature"]!(1, 2, 3), /takes from 2 to 3 positional arguments but 4 were given/],
        [() => client["signature"]!.kwargs({ zz: 1 }, 1), /got an unexpected keyword argument 'zz'/],
        [() => client["signature"]!.kwargs({ a: 1 }, 1), /got multiple values for argument 'a'/],
        [() => client["keyword_only"]!(1), /missing 1 required keyword-only argument: 'limit'/],
      ];
      for (const [call, message] of refusals) {
        await rejects(call(), (error: Error) => {
          ok(error instanceof BadRequestError);
          equal(error.reason, "IncorrectSignature");
          ok(message.test(error.message), error.message);
          return true;
        });
      }
    },
  },
  {
    law: "a keyword called self is refused by Python alone",
    prove: async ({ client }) => await rejects(client["anything"]!.kwargs({ self: 1 }), BadRequestError),
  },
  {
    law: "a service that nobody has served is an UnknownServiceError at once, for every way to call",
    async prove({ connected }) {
      const nobody = connected.client("enoki_interop_nobody");
      await rejects(nobody["hello"]!(), UnknownServiceError);
      await rejects(nobody["hello"]!.start().result(), UnknownServiceError);
      await rejects(nobody["hello"]!.kwargs({ a: 1 }), UnknownServiceError);
    },
  },
  {
    law: "start() does not wait, and result() gives the same answer each time",
    async prove({ client }) {
      const calls = [1, 2, 3].map((value) => client["echo"]!.start(value));
      deepStrictEqual(await Promise.all(calls.toReversed().map((call) => call.result())), [3, 2, 1]);
      equal(await calls[0]!.result(), 1);
    },
  },
  {
    law: "a call gives up when its time is over, and a later one is answered",
    async prove({ client }) {
      await rejects(client["slowly"]!.with({ timeout: 150 })(0.4, "late"), CallTimeoutError);
      equal(await client["slowly"]!(0.3, "in time"), "in time");
    },
  },
  {
    law: "a call of a service that does not run now waits, and is answered when it runs",
    core: true,
    async prove(stage) {
      const later = stage.name("later");
      await declareRequests(stage, later);
      const call = stage.connected.client(later)["echo"]!.start("patient");
      await waits(await stage.transport(), `rpc-${later}`);
      await stage.python('serve("rpc_service", later, later)', { later });
      equal(await call.result(), "patient");
    },
  },
  {
    law: "Python has the call id stack of our caller, and calls of calls have all of it",
    async prove({ client, served }) {
      const facts = await client["facts"]!() as Facts;
      deepStrictEqual([facts.stack.length, facts.origin, facts.parent], [2, facts.stack[0], facts.stack[0]]);
      const deep = await client["relay"]!("relay", "facts") as Facts;
      deepStrictEqual(deep.stack.slice(1).map((id) => id.split(".").slice(0, 2).join(".")), [
        `${served}.relay`,
        `${served}.relay`,
        `${served}.facts`,
      ]);
      equal(deep.origin, deep.stack[0]);
      equal(deep.parent, deep.stack[2]);
    },
  },
  {
    law: "Python's providers have the context data that we send, and what its handler changes goes on",
    core: true,
    async prove({ client }) {
      const headers = { language: "en", user_id: 7, user_agent: "UA/1", auth_token: "t" };
      deepStrictEqual(await client["who"]!.with({ headers })(), ["en", 7, "UA/1", "t"]);
      deepStrictEqual(await client["relay_changed"]!.with({ headers })("language", "'de'", "who"), [
        "de",
        7,
        "UA/1",
        "t",
      ]);
      deepStrictEqual(await client["who"]!(), [null, null, null, null]);
    },
  },
  {
    law: "our context data has a type in Python for every type of a header",
    core: true,
    async prove({ client }) {
      const headers = {
        zero: 0,
        least: -128,
        small: 1000,
        edge: 2 ** 31 - 1,
        beyond: 2 ** 31,
        least_beyond: -(2 ** 31) - 1,
        large: -(2 ** 53),
        real: 0.1,
        truth: false,
        text: "é".repeat(300),
        list: [1, [2.5], { a: -5 }],
      };
      const { data, types } = await client["facts"]!.with({ headers })() as Facts;
      const { enoki_timeout: _timeout, traceparent: _trace, ...received } = data;
      deepStrictEqual(received, headers);
      deepStrictEqual([types["zero"], types["beyond"], types["real"], types["truth"], types["text"]], [
        "int",
        "int",
        "float",
        "bool",
        "str",
      ]);
    },
  },
  {
    law: "our reply queue is one that Nameko could have declared",
    core: true,
    async prove(stage) {
      const nobody = stage.name("nobody");
      await declareRequests(stage, nobody);
      const own = await stage.cluster();
      const call = rejects(own.client(nobody)["hello"]!());
      await waits(await stage.transport(), `rpc-${nobody}`);
      equal(await stage.python("consumers_of_reply_queue(nobody)", { nobody }), 1);
      await own.close();
      await call;
    },
  },
  {
    law: "while the one worker of Nameko is busy, our instance of the service answers the others",
    async prove(stage) {
      const shared = stage.name("shared");
      const config = { max_workers: 1, PREFETCH_COUNT: 1 };
      await stage.python('serve("rpc_service", shared, shared, config=config)', { shared, config });
      const ours = service(shared, {
        entrypoints: { slowly: rpc() },
        handlers: { slowly: (_context, _seconds: number, _value: string) => "ours" },
      });
      await using _ours = await stage.ours([ours as unknown as Service]);
      const { slowly } = stage.connected.client(shared);
      const answers = await Promise.all(Array.from({ length: 8 }, () => slowly!(0.5, "Nameko's")));
      ok(answers.filter((answer) => answer === "ours").length >= 6, answers.join());
      await stage.python("kill(shared)", { shared });
    },
  },
  {
    law: "another rpc_exchange is another world, the same for both",
    async prove(stage) {
      const config = { rpc_exchange: stage.name("exchange") };
      stage.removesExchange(config.rpc_exchange);
      const elsewhere = stage.name("elsewhere");
      await stage.python('serve("rpc_service", elsewhere, elsewhere, config=config)', { elsewhere, config });
      const other = await stage.cluster({ config });
      equal(await other.client(elsewhere)["echo"]!(1), 1);
      await rejects(stage.connected.client(elsewhere)["echo"]!(1), UnknownServiceError);
      await stage.python("kill(elsewhere)", { elsewhere });
    },
  },
  {
    law: "transient requests are answered as persistent ones are",
    core: true,
    async prove(stage) {
      const transient = await stage.cluster({ config: { RPC_DELIVERY: "transient" } });
      equal(await transient.client(stage.served)["echo"]!("quick"), "quick");
      await rejects(transient.client(stage.served)["absent"]!(), MethodNotFoundError);
      await rejects(transient.client(stage.name("absent"))["echo"]!(), UnknownServiceError);
    },
  },
  {
    law: "a request whose caller has given up leaves the queue before Python comes",
    async prove(stage) {
      const gone = stage.name("gone");
      await declareRequests(stage, gone);
      await rejects(stage.connected.client(gone, { timeout: 50 })["hello"]!(), CallTimeoutError);
      const transport = await stage.transport();
      while (await transport.countMessages(`rpc-${gone}`)) await soon();
    },
  },
]);

/** Declares the queue of a service as if it had run before. */
async function declareRequests(stage: InteropStage, name: string): Promise<void> {
  await (await stage.transport()).declare({
    exchanges: [{ name: "nameko-rpc", type: "topic" }],
    queues: [{ name: `rpc-${name}` }],
    bindings: [{ queue: `rpc-${name}`, exchange: "nameko-rpc", routingKey: `${name}.*` }],
  });
}

/** Resolves when a message waits in a queue. */
async function waits(transport: Transport, queue: string): Promise<void> {
  while (!await transport.countMessages(queue)) await soon();
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

interface Facts {
  readonly id: string;
  readonly stack: readonly string[];
  readonly origin: string;
  readonly parent: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly types: Readonly<Record<string, string>>;
}
