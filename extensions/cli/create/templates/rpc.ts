import type { Template } from "../template.ts";

/** A service with one method. */
export const rpcTemplate: Template = {
  summary: `The service \`greetings\` has the method \`hello\`, which other services and
programs call.`,
  modules: ["greetings.ts"],
  files: {
    "greetings.ts": `import { rpc, service } from "@enoki/enoki";

export default service("greetings", {
  entrypoints: { hello: rpc() },
  handlers: {
    hello({ call }, name: string) {
      call.log.info("greeting", { name });
      return \`Hello, \${name}!\`;
    },
  },
});
`,
    "greetings_test.ts": `import { strictEqual } from "node:assert/strict";
import { testContext } from "@enoki/enoki/testing";
import greetings from "./greetings.ts";

Deno.test("hello() greets by name", () => {
  const greeting = greetings.handlers.hello(testContext(greetings), "Ada");
  strictEqual(greeting, "Hello, Ada!");
});
`,
  },
  config: [],
  attempt: { words: "call greetings.hello Ada", prints: '"Hello, Ada!"' },
};
