/** What pages name in their sentences is there: commands, flags, metrics. */
import { deepStrictEqual } from "node:assert/strict";
import { BENCH_FLAGS } from "../bench/bench_arguments.ts";
import { Command } from "../cli/command.ts";
import { withoutBlocks } from "../fixtures/guide/blocks.ts";
import { PAGES, pageText } from "../fixtures/guide/pages.ts";
import { SOURCES } from "../fixtures/source_tree.ts";

/** Flags of Deno, V8 and RabbitMQ that pages name, and the beginnings of flags. */
const FOREIGN = new Set([
  "--allow-",
  "--default-queue-type",
  "--deny-",
  "--deny-net",
  "--inspect",
  "--max-semi-space-size",
  "--no-prompt",
  "--no-turboshaft-loop-unrolling",
  "--parallel",
  "--unstable-worker-options",
  "--v8-flags",
]);

async function helpOf(...words: readonly string[]): Promise<string> {
  return (await new Command([...words, "--help"]).ended).out;
}

/** The commands that a help lists. */
function commandsIn(help: string): readonly string[] {
  const [, list = ""] = help.split("\nCommands:\n");
  return [...list.split("\n\n")[0]!.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!);
}

/** The help of the program, of its commands and of theirs. */
async function* helps(words: readonly string[] = []): AsyncGenerator<string> {
  const help = await helpOf(...words);
  yield help;
  for (const name of commandsIn(help)) yield* helps([...words, name]);
}

Deno.test("the page about commands has each command", async () => {
  const page = pageText("extensions/cli/README.md");
  const missing = commandsIn(await helpOf()).filter((name) => !page.includes(`| \`enoki ${name}`));
  deepStrictEqual(missing, []);
});

Deno.test("the flags that pages name are there", async () => {
  const texts = await Array.fromAsync(helps());
  const known = new Set([...texts.join("\n").matchAll(/--[a-z][\w-]*/g)].map(([flag]) => flag));
  for (const flag of Object.keys(BENCH_FLAGS)) known.add(`--${flag}`);
  const unknown = PAGES.flatMap((page) => {
    const code = [...withoutBlocks(pageText(page)).matchAll(/`[^`]+`/g)].map(([text]) => text).join("\n");
    const flags = [...code.matchAll(/(?<![\w-])--[a-z][\w-]*/g)].map(([flag]) => flag);
    return flags.filter((flag) => !known.has(flag) && !FOREIGN.has(flag)).map((flag) => `${page}: ${flag}`);
  });
  deepStrictEqual(unknown, []);
});

Deno.test("the metrics that pages name are there", () => {
  const code = [...SOURCES.values()].map(({ text }) => text).join("\n");
  const unknown = PAGES.flatMap((page) =>
    [...pageText(page).matchAll(/\benoki_[a-z_]+[a-z]/g)]
      .map(([name]) => name.replace(/_(?:bucket|count|sum)$/, ""))
      .filter((name) => !code.includes(name))
      .map((name) => `${page}: ${name}`)
  );
  deepStrictEqual(unknown, []);
});
