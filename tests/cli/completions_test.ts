import assert from "node:assert/strict";
import { enoki, GREETING, withService } from "./command.ts";
import { COMPLETE_WORD, SHELLS } from "../../extensions/cli/completion/scripts.ts";

/** What the program proposes for the last of some words. */
async function proposed(...words: readonly string[]): Promise<readonly string[]> {
  const { status, out, err } = await enoki([COMPLETE_WORD, ...words]);
  assert.deepEqual({ status, err }, { status: 0, err: "" });
  return out.split("\n").slice(0, -1).map((line) => line.split("\t")[0]!);
}

Deno.test("completion proposes the commands that begin as the word does", async () => {
  assert.deepEqual(await proposed("de"), ["dead", "describe"]);
  assert.deepEqual(await proposed("cl"), ["client"]);
});

Deno.test("completion proposes commands of a command", async () => {
  assert.deepEqual(await proposed("dead", ""), ["list", "show", "replay", "purge"]);
});

Deno.test("completion proposes the options of a command", async () => {
  assert.deepEqual(await proposed("ps", "--"), [
    "--config",
    "--no-config",
    "--define",
    "--broker",
    "--extension",
    "--json",
    "--timeout",
    "--help",
  ]);
  assert.deepEqual(await proposed("describe", "--as"), ["--asyncapi"]);
  assert.deepEqual(await proposed("client", "--fo"), ["--force"]);
});

Deno.test("completion proposes the values of an option, behind a space or a =", async () => {
  assert.deepEqual(await proposed("run", "--log-format", ""), ["pretty", "json"]);
  assert.deepEqual(await proposed("tail", "--level=w"), ["--level=warning"]);
  assert.deepEqual(await proposed("run", "--log-level", "e"), ["error"]);
});

Deno.test("completion proposes nothing where a file may stand", async () => {
  assert.deepEqual(await proposed("run", ""), []);
  assert.deepEqual(await proposed("run", "--config", ""), []);
});

Deno.test("completion proposes nothing, and says nothing, if the broker is away", async () => {
  assert.deepEqual(await proposed("call", "--broker", "local:///nowhere/broker.sock", ""), []);
});

Deno.test("completions refuses a shell that it does not know", async () => {
  const { status, err } = await enoki(["completions", "tcsh"]);
  assert.equal(status, 2);
  assert.match(err, /^Cannot use argument tcsh: allowed choices are bash, zsh, fish\n/);
});

/** What each shell runs to complete a line, and to print what it has found. */
const COMPLETING: Readonly<Record<typeof SHELLS[number], (words: readonly string[]) => string>> = {
  bash: (words) =>
    `COMP_LINE='${words.join(" ")}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(${
      words.map(quoted).join(" ")
    }); COMP_CWORD=${words.length - 1}; compopt() { :; }; _enoki; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (words) =>
    `words=(${words.map(quoted).join(" ")}); CURRENT=${words.length}; ` +
    `_describe() { print -l -- "\${(@P)2}" }; _files() { print files }; _enoki`,
  fish: (words) => `complete -C '${words.join(" ")}'`,
};

function quoted(word: string): string {
  return `'${word}'`;
}

for (const shell of SHELLS) {
  const found = new Deno.Command("sh", { args: ["-c", `command -v ${shell}`], stdout: "null" }).outputSync();
  // deno-lint-ignore no-console -- the reader of the results should see what was left out
  if (!found.success) console.log(`Skipping the completion of ${shell}: it is not installed`);
  Deno.test({
    name: `${shell} completes commands, and the methods of services that run`,
    ignore: !found.success,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "enoki-completions-" });
      try {
        const cli = new URL("../../cli.ts", import.meta.url).pathname;
        await Deno.writeTextFile(
          `${folder}/enoki`,
          `#!/bin/sh\nexec "${Deno.execPath()}" run -A "${cli}" "$@"\n`,
          { mode: 0o755 },
        );
        const { out: script } = await enoki(["completions", shell]);
        await withService(GREETING, async (broker) => {
          const complete = async (...words: readonly string[]) => {
            const load = shell === "zsh" ? "compdef() { : }\n" : "";
            const code = `${load}${script}\n${COMPLETING[shell](words)}`;
            const { stdout, stderr } = await new Deno.Command(shell, {
              args: ["-c", code],
              env: { PATH: `${folder}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
            }).output();
            const text = new TextDecoder();
            assert.equal(text.decode(stderr), "");
            return text.decode(stdout).split("\n").filter((line) => line !== "")
              .map((line) => line.split(/\t|:print|:list|:show/)[0]!);
          };
          assert.deepEqual(await complete("enoki", "dead", "l"), ["list"]);
          assert.deepEqual(await complete("enoki", "call", "--broker", broker, "greet"), [
            "greeting_service.hello",
          ]);
        });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
