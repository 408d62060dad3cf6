import assert from "node:assert/strict";

/** What is printed, by the permissions: a sandboxed service has a process, whose output becomes lines of the log. */
const PRINTED = [["", /info +pong_service +pong\n/g, "stderr"], ["-A", /^pong\n/gm, "stdout"]] as const;

for (const [flag, pong, stream] of PRINTED) {
  Deno.test(`examples/timer with ${flag || "no permissions"} prints pong each second`, async () => {
    const root = new URL("../../../", import.meta.url);
    const flags = ["--broker", "memory:", ...(flag === "" ? [] : [flag])];
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", "cli.ts", "run", ...flags, "./examples/timer/service.ts"],
      cwd: root,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      [stream]: "piped",
    }).spawn();
    const times: number[] = [];
    let text = "";
    for await (const chunk of process[stream].pipeThrough(new TextDecoderStream())) {
      text += chunk;
      while (times.length < [...text.matchAll(pong)].length) times.push(performance.now());
      if (times.length >= 2) break;
    }
    process.kill("SIGTERM");
    await process.status;
    assert.ok(times[1]! - times[0]! > 500, `${times[1]! - times[0]!} ms between two pongs`);
  });
}
