import assert from "node:assert/strict";

Deno.test("examples/timer prints pong each second", async () => {
  const root = new URL("../../../", import.meta.url);
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", "cli.ts", "run", "--broker", "memory:", "./examples/timer/service.ts"],
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const times: number[] = [];
  let text = "";
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    times.push(...[...chunk.matchAll(/pong\n/g)].map(() => performance.now()));
    if (times.length >= 2) break;
  }
  process.kill("SIGTERM");
  await process.status;
  assert.match(text, /pong\npong\n$/);
  assert.ok(times[1]! - times[0]! > 500, `${times[1]! - times[0]!} ms between two pongs`);
});
