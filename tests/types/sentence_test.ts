import { match } from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** Impossible uses, and what their author must find in the compiler's words. */
const IMPOSSIBLE: readonly (readonly [name: string, use: string, sentence: RegExp])[] = [
  [
    "a handler without an entry",
    `service("a", { entrypoints: { one: rpc() }, handlers: { one() {}, two() {} } });`,
    /is not assignable to type '"The handler \\"two\\" has no entry in the table of entrypoints"'/,
  ],
  [
    "an entry without a handler",
    `service("a", { entrypoints: { three: rpc(), four: rpc() }, handlers: { three() {} } });`,
    /Property 'four' is missing in type '\{ three\(\): void; \}' but required in type '\{ readonly four: "The entrypoint \\"four\\" has no handler"; \}'/,
  ],
  [
    "a handler whose name is misspelled",
    `service("a", { entrypoints: { place: rpc() }, handlers: { plcae() {} } });`,
    /'plcae' does not exist in type .* Did you mean to write 'place'\?/,
  ],
  [
    "a parameter without a type",
    `service("a", { entrypoints: { six: rpc() }, handlers: { six(_context, value) { return value; } } });`,
    /is not assignable to type '"A parameter of the handler \\"six\\" needs a type, as in hello\(context, name: string\)"'/,
  ],
  [
    "a dependency called call",
    `service("a", { dependencies: { call: client("b") }, entrypoints: { one: rpc() }, handlers: { one() {} } });`,
    /is not assignable to type '"The context reserves the key \\"call\\": choose another key"'/,
  ],
  [
    "a service without entrypoints",
    `service("a", { handlers: { five() {} } });`,
    /is not assignable to type '"The handler \\"five\\" has no entry in the table of entrypoints"'/,
  ],
  [
    "a service with a dot in its name",
    `service("shop.orders", { handlers: {} });`,
    /'"The name of a service is one word without dots and spaces, unlike \\"shop\.orders\\""/,
  ],
  [
    "a contract with a space in its name",
    `contract("shop orders", {});`,
    /parameter of type '"The name of a service is one word without dots and spaces, unlike \\"shop orders\\""'/,
  ],
  [
    "a client of another name",
    `client<typeof greeting>("greting");`,
    /ERROR\]: Argument of type '"greting"' is not assignable to parameter of type '"greeting"'/,
  ],
  [
    "a method behind the rule",
    `http("/orders", "GET");`,
    /parameter of type '"The method stands before the rule: http\(\\"GET\\", \\"\/orders\/:id\\"\)"'/,
  ],
  [
    "an event that the dispatcher does not have",
    `service("a", {
       dependencies: { emit: dispatcher<{ placed: number }>() },
       entrypoints: { one: rpc() },
       handlers: { one: ({ emit }) => emit("plcaed", 1) },
     });`,
    /ERROR\]: Argument of type '"plcaed"' is not assignable to parameter of type '"placed"'/,
  ],
  [
    "a misspelled event of a service",
    `event<typeof shop, "plcaed">("shop", "plcaed");`,
    /ERROR\]: Type '"plcaed"' does not satisfy the constraint '.*"placed".*'/,
  ],
  [
    "a misspelled event of a service, without its payload",
    `event<typeof shop>("shop", "plecad");`,
    /ERROR\]: Argument of type '"plecad"' is not assignable to parameter of type '.*"placed".*'/,
  ],
  [
    "an event of a service of another name",
    `event<typeof shop, "placed">("shpo", "placed");`,
    /ERROR\]: Argument of type '"shpo"' is not assignable to parameter of type '"shop"'/,
  ],
  [
    "an event of a service that dispatches none",
    `event<typeof greeting>("greeting", "greeted");`,
    /parameter of type '"\\"greeting\\" dispatches no events: it has no dispatcher<\{ … \}>\(\)"'/,
  ],
];

const MOD = new URL("../../mod.ts", import.meta.url);

let complaints: Promise<string> | undefined;

/** What the compiler says of a module with all of them. */
async function check(): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      path,
      [
        `import { client, contract, dispatcher, event, http, rpc, service } from "${MOD}";`,
        `const greeting = service("greeting", { entrypoints: { hello: rpc() }, handlers: { hello() {} } });`,
        `const shop = service("shop", { dependencies: { emit: dispatcher<{ placed: Date }>() }, handlers: {} });`,
        `export { client, contract, dispatcher, event, greeting, http, shop };`,
        ...IMPOSSIBLE.map(([, use]) => use),
      ].join("\n"),
    );
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", config, path],
      env: { NO_COLOR: "1" },
    }).output();
    return new TextDecoder().decode(stderr);
  } finally {
    await Deno.remove(path);
  }
}

for (const [name, _use, sentence] of IMPOSSIBLE) {
  Deno.test(`the compiler explains ${name} in a sentence`, async () => {
    match(await (complaints ??= check()), sentence);
  });
}
