import assert from "node:assert/strict";
import { Claims } from "../../../runtime/channel/claims.ts";
import { ServiceProcess } from "../../../runtime/spawning/process/service_process.ts";

/** A process that sends one report, and goes on for ever, though nobody listens to it. */
function reporting(report: string): string {
  return `
    const { socket, token } = await new Response(Deno.stdin.readable).json();
    const connection = await Deno.connect({ transport: "unix", path: socket });
    const text = new TextEncoder().encode(${JSON.stringify(report)});
    const head = new Uint32Array([0, 0, text.length, 0]);
    for (const piece of [new TextEncoder().encode(token), new Uint8Array(head.buffer), text]) {
      await connection.write(piece);
    }
    setInterval(() => {}, 1_000);
  `;
}

for (const report of ["nonsense", "null", `{"type":"ended","id":1,"reason":"","received":0}`]) {
  Deno.test(`a process that reports ${report} is ended`, async () => {
    const process = new ServiceProcess({
      command: () => ({
        path: Deno.execPath(),
        args: ["eval", "--no-config", reporting(report)],
        env: Deno.env.toObject(),
      }),
      onOutput: () => {},
      onEnd: () => {},
    });
    const thread = process.spawn({ name: "test#1", claims: new Claims().buffer }, 64);
    assert.match(await thread.ended, /^its process sent what cannot be read: /);
    await process.ended;
  });
}
