import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { SERVICES } from "../../cli/command.ts";

const CLI = fileURLToPath(new URL("../../../cli.ts", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../../fixtures/denied_program.ts", import.meta.url));

/** Runs `deno` on a terminal of its own, and gives what is on its screen when it has ended. */
async function onTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const command = [Deno.execPath(), ...args].map((word) => `'${word}'`).join(" ");
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", command, "/dev/null"],
    stdin: "null",
    // A question would wait for ever.
    signal: AbortSignal.timeout(60_000),
    env: { NO_COLOR: "1", ...env },
  }).output();
  return new TextDecoder().decode(stdout);
}

for (const isolation of ["threads", "process"]) {
  Deno.test({
    name: `nobody at a terminal is asked for what a service of run() with isolation: ${isolation} may not do`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const screen = await onTerminal(["run", "-A", PROGRAM, `${SERVICES}reaching_out.ts`, isolation]);
      assert.match(screen, /Cannot read variable "ENOKI_TOKEN" in one\.env: not permitted/);
      assert.doesNotMatch(screen, /Allow\?/);
    },
  });
}

Deno.test({
  name: "a program without FFI refuses restricted threads at a terminal, unless nobody would be asked",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const flags = ["read", "write", "net", "env", "run", "sys", "import"].map((name) => `--allow-${name}`);
    const module = `${SERVICES}reaching_out.ts`;
    const program = ["run", ...flags, "--unstable-worker-options", PROGRAM, module, "threads"];
    const refused = await onTerminal(program);
    assert.match(refused, /ConfigurationError: Cannot restrict .* --allow-ffi, set DENO_NO_PROMPT=1/);
    assert.doesNotMatch(refused, /Allow\?/);
    const allowed = await onTerminal(program, { DENO_NO_PROMPT: "1" });
    assert.match(allowed, /Cannot read variable "ENOKI_TOKEN" in one\.env: not permitted/);
  },
});

Deno.test({
  name: "nobody at a terminal is asked for what a module may not do while cli.ts loads it",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const screen = await onTerminal(["run", "-A", CLI, "describe", `${SERVICES}reads_at_top.ts`]);
    assert.match(screen, /Cannot read variable "ENOKI_TOKEN" in module reads_at_top\.ts: not permitted/);
    assert.doesNotMatch(screen, /Allow\?/);
  },
});
