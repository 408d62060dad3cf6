import { deepStrictEqual, equal } from "node:assert/strict";
import { blocksOf, guideBlocks, testGuide } from "./fixtures/guide.ts";

const GUIDE = { page: "runtime/hosting/README.md", ports: ["7007"] };

testGuide(GUIDE);

Deno.test("the page about extensions shows one of each kind", () => {
  // A hook, a hook of the process, a dependency, an entrypoint and a transport.
  equal(guideBlocks(GUIDE).sessions.length, 5);
});

Deno.test("a block of a page that is no file, or that nothing runs, is found", () => {
  const block = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`;
  const page = [
    block("ts", "// a.ts\nimport './c.ts';"),
    block("ts", '// b.ts\nimport "./a.ts";'),
    block("ts", "const nameless = 1;"),
    block("yaml", "key: value"),
    block("ts", "// d.ts"),
    block("console", "$ enoki run ./b.ts"),
  ].join("\n");
  deepStrictEqual(blocksOf(page).complaints, [
    "no file of its own: const nameless = 1;",
    "no file of its own: key: value",
    "nothing runs d.ts",
  ]);
});
