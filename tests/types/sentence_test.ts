import { match } from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** Impossible uses, and what their author must find in the compiler's words. */
const IMPOSSIBLE: readonly (readonly [name: string, use: string, sentence: RegExp])[] = [
  [
    "a handler without an entry",
    `service("a", { entrypoints: { one: rpc() }, handlers: { one() {}, two() {} } });`,
    /DefinitionError<"Handler \\"two\\" has no entry in the table of entrypoints">/,
  ],
  [
    "an entry without a handler",
    `service("a", { entrypoints: { three: rpc(), four: rpc() }, handlers: { three() {} } });`,
    /Property 'four' is missing in type '\{ three\(\): void; \}'/,
  ],
  [
    "a dependency called call",
    `service("a", { dependencies: { call: client("b") }, entrypoints: { one: rpc() }, handlers: { one() {} } });`,
    /DefinitionError<"The context reserves the key \\"call\\"; choose another key">/,
  ],
  [
    "a service without entrypoints",
    `service("a", { handlers: { five() {} } });`,
    /DefinitionError<"Handler \\"five\\" has no entry in the table of entrypoints">/,
  ],
  [
    "a client of another name",
    `client<typeof greeting>("greting");`,
    /'"greting"' is not assignable to parameter of type '"greeting"'/,
  ],
];

let complaints: Promise<string> | undefined;

/** What the compiler says of a module with all of them. */
async function check(): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      path,
      [
        `import { service } from "${new URL("../../runtime/service/service.ts", import.meta.url)}";`,
        `import { client, rpc } from "${new URL("../../extensions/rpc/mod.ts", import.meta.url)}";`,
        `const greeting = service("greeting", { entrypoints: { hello: rpc() }, handlers: { hello() {} } });`,
        `export { client, greeting };`,
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
