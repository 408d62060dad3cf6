import { deepStrictEqual, doesNotMatch, match } from "node:assert/strict";

const OBSERVE = import.meta.resolve("../../../runtime/log/observe.ts");

const logLines = (count: number) =>
  `const { configureLogging, getLog } = await import("${OBSERVE}");
configureLogging();
const log = getLog();
for (let line = 0; line < ${count}; line++) log.info("x".repeat(100));
console.log("went on");`;

const program = (lines: number) => `${logLines(lines)}\nDeno.exit(0);`;

/** Runs a program that logs much. `look` does what the reader of stderr does. */
async function logging(
  shell: string,
  look: (stderr: ReadableStream<Uint8Array>) => Promise<void>,
): Promise<readonly [status: number, out: string]> {
  const file = await Deno.makeTempFile({ prefix: "enoki-stderr-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program(5_000));
    await using child = new Deno.Command("sh", {
      args: ["-c", `exec "${Deno.execPath()}" run -A --no-check ${file} ${shell}`],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (shell === "") await look(child.stderr);
    const out = await new Response(child.stdout).text();
    const { code } = await child.status;
    if (!child.stderr.locked) await child.stderr.cancel();
    return [code, out.trim()];
  } finally {
    await Deno.remove(file);
  }
}

const CASES: readonly (readonly [
  what: string,
  shell: string,
  look: (stderr: ReadableStream<Uint8Array>) => Promise<void>,
])[] = [
  ["on a full disk", "2>/dev/full", () => Promise.resolve()],
  ["whose reader is gone", "", (stderr) => stderr.cancel()],
  ["whose reader stands still", "", () => Promise.resolve()],
];

for (const [what, shell, look] of CASES) {
  Deno.test({
    name: `a program goes on that logs to a stderr ${what}`,
    ignore: Deno.build.os !== "linux",
    fn: async () => deepStrictEqual(await logging(shell, look), [0, "went on"]),
  });
}

const SCRIPT = new Deno.Command("sh", { args: ["-c", "script --version | grep -q util-linux"] }).outputSync();

Deno.test({
  name: "a program logs to a terminal, and asks the person there for no permission",
  ignore: Deno.build.os !== "linux" || !SCRIPT.success,
  async fn() {
    const file = await Deno.makeTempFile({ prefix: "enoki-stderr-", suffix: ".ts" });
    try {
      await Deno.writeTextFile(file, program(3));
      // LogTape and Node look into the environment.
      const { stdout } = await new Deno.Command("script", {
        args: ["-qec", `${Deno.execPath()} run --allow-env --no-check ${file}`, "/dev/null"],
        stdin: "null",
        env: { NO_COLOR: "1", DENO_NO_PROMPT: "" },
        signal: AbortSignal.timeout(20_000),
      }).output();
      const screen = new TextDecoder().decode(stdout);
      doesNotMatch(screen, /requests/);
      match(screen, /(?:x{100}\r\n[^]*){3}went on/);
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test("the log of a test under `deno test` overwrites nothing of a file that gets its output", async () => {
  const folder = await Deno.makeTempDir({ prefix: "enoki-stderr-" });
  try {
    const [file, output] = [`${folder}/log_test.ts`, `${folder}/output`];
    await Deno.writeTextFile(file, `Deno.test("it logs", async () => {\n${logLines(3)}\n});`);
    await new Deno.Command("sh", {
      args: ["-c", `(echo first; "${Deno.execPath()}" test -A --no-check ${file}) >${output} 2>&1`],
    }).output();
    const text = await Deno.readTextFile(output);
    match(text, /^first\n[^]*1 passed/);
    deepStrictEqual([text.match(/x{100}\n/g)?.length, text.match(/went on/g)?.length], [3, 1]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
