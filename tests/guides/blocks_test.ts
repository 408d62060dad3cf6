/** All pages of the documentation: something checks each of their blocks, and their files compile. */
import { deepStrictEqual, equal } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { blocksOf, guideBlocks } from "../fixtures/guide/blocks.ts";
import { furnish, replacements, ROOT, writeDenoJson } from "../fixtures/guide/folder.ts";
import { faultsOf, faultsOfConfiguration } from "../fixtures/guide/loose_checks.ts";
import { PAGES } from "../fixtures/guide/pages.ts";
import { docstringModules, EXAMPLED } from "../fixtures/guide/docstrings/modules.ts";

for (const page of PAGES) {
  Deno.test(`${page}: something checks each block`, async () => {
    const { files, loose, complaints } = guideBlocks({ page });
    const faults = await Promise.all(loose.map((block) => faultsOf(block, files)));
    const configurations = [...files].filter(([name]) => name.endsWith(".yaml"));
    deepStrictEqual(
      [
        // The floor plan shows ways through the code. The tests of the architecture follow them.
        ...complaints.filter((complaint) =>
          page !== "runtime/README.md" || !complaint.startsWith("no language")
        ),
        ...faults.flat(),
        ...configurations.flatMap(([, text]) => faultsOfConfiguration(text, files)),
      ],
      [],
    );
  });
}

Deno.test("a block of a page that is no file, or that nothing runs, is found", () => {
  const block = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`;
  const page = [
    block("ts", "// a.ts\nimport './c.ts';"),
    block("ts", '// b.ts\nimport "./a.ts";'),
    block("ts", "const nameless = 1;"),
    block("py", "key = value"),
    block("ts", "// d.ts"),
    block("console", "$ enoki run ./b.ts:one"),
    "Four spaces:\n\n    enoki run\n",
  ].join("\n");
  deepStrictEqual(blocksOf(page).complaints, [
    "no file of its own: const nameless = 1;",
    "no file of its own: key = value",
    "no language: enoki run",
    "nothing runs d.ts",
  ]);
});

Deno.test("a block with a key, a flag or a command that is not there is found", async () => {
  const faults = (language: string, text: string) =>
    faultsOf({ language, text }, new Map([["a.ts", '"OWN"']]));
  deepStrictEqual(await faults("yaml", "max_workers: 1\nOWN: 2\nmax_wokers: 3"), [
    "nobody knows the key max_wokers",
  ]);
  equal((await faults("yaml", "max_workers: none")).length, 1);
  deepStrictEqual(
    await faults("sh", "TZ=UTC enoki run --http 1 --htpp 2 ./a.ts | head\nenoki dead purge --yes q"),
    [
      "no flag --htpp: run --http 1 --htpp 2 ./a.ts",
    ],
  );
  deepStrictEqual(await faults("sh", "enoki walk"), ["no command: walk"]);
  equal((await faults("sh", "enoki run 'a")).length, 1);
  deepStrictEqual(await faults("ini", "[Service]\nExecStart=/usr/bin/a --no-flag\nnonsense"), [
    "nonsense",
    "no flag --no-flag: run --no-flag",
  ]);
  deepStrictEqual(await faults("dockerfile", 'FROM a\nCOPPY a b\nENTRYPOINT ["/a", "--http", "1"]'), [
    "COPPY a b",
  ]);
  equal((await faults("python", "def f(:")).length, 1);
  deepStrictEqual(await faults("", "a drawing?"), ["no language: a drawing?"]);
  equal((await faults("jsonc", '{ "a": }')).length, 1);
});

Deno.test("the files of all pages and the examples of all docstrings are written against the doors alone, and compile", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "enoki-guides-" });
  try {
    await writeDenoJson(folder);
    const here = replacements({});
    const files: string[] = [];
    for (const page of PAGES) {
      const own = [...guideBlocks({ page }).files].filter(([name]) => /\.tsx?$/.test(name));
      const place = page.replace(/\/?README\.md$|\.md$/, "") || "front_page";
      await furnish(`${folder}/${place}`, page, new Map(own.map(([name, text]) => [name, here(text)])));
      files.push(...own.map(([name]) => `${place}/${name}`));
    }
    const examples = await furnishExamples(`${folder}/docstrings`);
    for (
      const [verb, more] of [
        [["check"], examples],
        [["lint", "--rules-exclude=no-import-prefix"], []],
      ] as const
    ) {
      await test.step(verb[0], async () => {
        const { code, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [...verb, "--quiet", ...files, ...more],
          cwd: folder,
          env: { NO_COLOR: "1" },
        }).output();
        equal(code, 0, new TextDecoder().decode(stderr));
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("deno test --doc runs the examples that need nothing but the doors", async () => {
  // The test above checks the types of all examples.
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--doc", "--allow-all", "--no-lock", "--no-check", "--quiet", ...EXAMPLED],
    cwd: fileURLToPath(ROOT),
    env: { NO_COLOR: "1" },
  }).output();
  equal(code, 0, new TextDecoder().decode(stdout));
});

/** Writes the examples of docstrings, with what they speak of. Returns the paths of the examples. */
async function furnishExamples(folder: string): Promise<readonly string[]> {
  await Deno.mkdir(folder);
  for (const name of ["names.ts", "orders.ts"]) {
    await Deno.copyFile(
      new URL(`../fixtures/guide/docstrings/${name}`, import.meta.url),
      `${folder}/${name}`,
    );
  }
  const examples = docstringModules();
  for (const [name, text] of examples) await Deno.writeTextFile(`${folder}/${name}`, text);
  return [...examples.keys()].map((name) => `${folder}/${name}`);
}
