/**
 * The README's chapter "Extending Enoki", as a reader follows it: in a folder outside of this one, against the doors
 * alone. What the chapter shows as typed is run, and has to print what the chapter shows.
 */
import { deepStrictEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Child } from "./fixtures/child.ts";
import { freePort } from "./fixtures/free_port.ts";

const ROOT = new URL("../", import.meta.url);

/** Port of the chapter's lines. */
const PORT = "7007";

/** A command of the chapter, with what it prints, or what is said to it and by it. */
interface Command {
  readonly words: readonly string[];
  readonly lines: readonly string[];
}

/** The blocks of a chapter. */
interface Blocks {
  readonly files: ReadonlyMap<string, string>;
  readonly sessions: readonly (readonly Command[])[];
  /** Sentences about blocks that nothing runs; none is right. */
  readonly complaints: readonly string[];
}

function chapterOf(name: string): string {
  const [, text = ""] = readFileSync(new URL("README.md", ROOT), "utf8").split(`\n## ${name}\n`);
  return text.split("\n## ")[0]!;
}

function blocksOf(chapter: string): Blocks {
  const files = new Map<string, string>();
  const sessions: (readonly Command[])[] = [];
  const complaints: string[] = [];
  for (const [, language, text = ""] of chapter.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
    const [first = ""] = text.split("\n", 1);
    const [, name] = /^\/\/ (\S+)$/.exec(first) ?? [];
    if (language === "console") sessions.push(commandsOf(text));
    else if (name === undefined || files.has(name)) complaints.push(`no file of its own: ${first}`);
    else files.set(name, text.slice(first.length + 1));
  }
  const typed = sessions.flat().flatMap(({ words }) => words.map((word) => word.replace(/^\.\//, "")));
  const run = new Set(["deno.json", ...typed].filter((word) => files.has(word)));
  for (const name of run) {
    for (const [, named] of files.get(name)!.matchAll(/"\.\/([^"]+)"/g)) {
      if (files.has(named!)) run.add(named!);
    }
  }
  complaints.push(
    ...[...files.keys()].filter((name) => !run.has(name)).map((name) => `nothing runs ${name}`),
  );
  return { files, sessions, complaints };
}

function commandsOf(session: string): readonly Command[] {
  return session.split(/^\$ /m).slice(1).map((text) => {
    const [line = "", ...lines] = text.trimEnd().split("\n");
    const words = line.match(/'[^']*'|\S+/g) ?? [];
    return { words: words.map((word) => word.replace(/^'(.*)'$/, "$1")), lines };
  });
}

Deno.test("a block that is no file, or that nothing runs, is found", () => {
  const block = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`;
  const chapter = [
    block("ts", "// a.ts\nimport './c.ts';"),
    block("ts", '// b.ts\nimport "./a.ts";'),
    block("ts", "const nameless = 1;"),
    block("yaml", "key: value"),
    block("ts", "// d.ts"),
    block("console", "$ enoki run ./b.ts"),
  ].join("\n");
  deepStrictEqual(blocksOf(chapter).complaints, [
    "no file of its own: const nameless = 1;",
    "no file of its own: key: value",
    "nothing runs d.ts",
  ]);
});

const { files, sessions, complaints } = blocksOf(chapterOf("Extending Enoki"));

Deno.test("what is typed in the README's chapter about extensions runs each of its blocks", () => {
  deepStrictEqual(complaints, []);
  // A hook, a hook of the process, a dependency, an entrypoint and a transport.
  equal(sessions.length, 5);
});

Deno.test("the README's extensions are written against the doors alone, and do what it shows", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "enoki-extending-" });
  const port = String(freePort());
  const reader = new Reader(folder, port);
  try {
    for (const [name, text] of files) {
      const code = text.replaceAll(PORT, port).replaceAll("https://enoki.example/", ROOT.href);
      await Deno.writeTextFile(`${folder}/${name}`, code);
    }
    await test.step("the compiler has nothing to say", async () => {
      const code = [...files.keys()].filter((name) => name.endsWith(".ts"));
      await reader.type({ words: ["deno", "check", "--quiet", ...code], lines: [] });
    });
    await test.step("the linter has nothing to say", async () => {
      await reader.type({ words: ["deno", "lint", "--quiet"], lines: [] });
    });
    for (const session of sessions) {
      await test.step(session[0]!.words.join(" "), async () => {
        try {
          for (const command of session) await reader.type(command);
        } finally {
          await reader.stop();
        }
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Types the commands of the chapter in a folder. */
class Reader {
  readonly #folder: string;
  readonly #port: string;
  #serving: Child | undefined;

  /** @param port Port in place of the chapter's. */
  constructor(folder: string, port: string) {
    this.#folder = folder;
    this.#port = port;
  }

  /** Types a command, and compares what it prints; where it shows nothing, it only has to end well. */
  async type({ words, lines }: Command): Promise<void> {
    const [program = "", ...args] = words.map((word) => word.replaceAll(PORT, this.#port));
    if (program === "nc") return await converse(Number(args[1]), lines);
    const child = this.#start(program, args);
    if (program === "enoki" && args[0] === "run") {
      await child.says("Ready on");
      this.#serving = child;
      return;
    }
    const { code, out, err } = await child.ended();
    if (lines.length === 0) equal(code, 0, `${out}${err}`);
    else equal(code === 0 ? out : err, `${lines.join("\n")}\n`);
  }

  /** Ends what serves, as Ctrl-C does. */
  async stop(): Promise<void> {
    this.#serving?.kill("SIGINT");
    const ended = await this.#serving?.ended();
    this.#serving = undefined;
    equal(ended?.code ?? 0, 0, ended?.err);
  }

  #start(program: string, args: readonly string[]): Child {
    const env = { NO_COLOR: "1", TRANSPORT: "local:", XDG_RUNTIME_DIR: this.#folder };
    const deno = Deno.execPath();
    const [command, before] = program === "enoki"
      ? [deno, ["run", "-A", new URL("cli.ts", ROOT).href]]
      : [program === "deno" ? deno : program, []];
    return new Child(command, [...before, ...args], { cwd: this.#folder, env });
  }
}

/** Says every second line to a server, which has to answer with the line behind it. */
async function converse(port: number, lines: readonly string[]): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const answers = connection.readable.pipeThrough(new TextDecoderStream()).getReader();
  const questions = connection.writable.getWriter();
  for (let at = 0; at < lines.length; at += 2) {
    await questions.write(new TextEncoder().encode(`${lines[at]}\n`));
    const wanted = `${lines[at + 1]}\n`;
    let answer = "";
    while (answer.length < wanted.length) {
      const { done, value } = await answers.read();
      if (done) break;
      answer += value;
    }
    equal(answer, wanted);
  }
}
