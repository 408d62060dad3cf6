import assert from "node:assert/strict";
import { dirname } from "node:path";
import { Claims } from "../../../runtime/channel/claims.ts";
import { ProcessThreads } from "../../../runtime/spawning/process/process_threads.ts";
import { ServiceProcess } from "../../../runtime/spawning/process/service_process.ts";
import { TestFolder } from "../../fixtures/module_origin.ts";

/** The module under test, as code. */
const SERVICE_PROCESS = JSON.stringify(
  import.meta.resolve("../../../runtime/spawning/process/service_process.ts"),
);

/** Connects as the process of a service does. */
const CONNECT = `
  const { socket, token } = await new Response(Deno.stdin.readable).json();
  const connect = () => Deno.connect({ transport: "unix", path: socket });
`;

/** Starts a process that runs some code in place of Enoki's. */
function startProcess(code: string): ServiceProcess {
  return new ServiceProcess({
    command: () => ({
      path: Deno.execPath(),
      args: ["eval", "--no-config", CONNECT + code],
      env: Deno.env.toObject(),
    }),
    onOutput: () => {},
    onEnd: () => {},
  });
}

/** A process that sends one report, and goes on for ever, though nobody listens to it. */
function reporting(report: string): string {
  return `
    const connection = await connect();
    const text = new TextEncoder().encode(${JSON.stringify(report)});
    const head = new Uint32Array([0, 0, text.length, 0]);
    for (const piece of [new TextEncoder().encode(token), new Uint8Array(head.buffer), text]) {
      await connection.write(piece);
    }
    setInterval(() => {}, 1_000);
  `;
}

Deno.test("a process that the system does not start leaves nothing open, and its threads say why", async () => {
  const socketFolders: string[] = [];
  const threads = new ProcessThreads(import.meta.resolve("../../fixtures/pool/working.ts"), {
    command(socket) {
      socketFolders.push(dirname(socket));
      return { path: "/no/such/program", args: [], env: {} };
    },
    heapLimit: 64,
  });
  const thread = threads.spawn({ name: "test#1", claims: new Claims().buffer });
  assert.match(await thread.ended, /^its process could not be started: .*\/no\/such\/program/);
  await threads[Symbol.asyncDispose]();
  assert.equal(socketFolders.length, 1);
  assert.throws(() => Deno.statSync(socketFolders[0]!), Deno.errors.NotFound);
});

/** A program that begins a process, which needs to be none. It prints the folder of the socket, and what has failed. */
const BEGINNER = `
  import { dirname } from "node:path";
  import { ServiceProcess } from ${SERVICE_PROCESS};
  let folder = null;
  try {
    new ServiceProcess({
      command(socket) {
        folder = dirname(socket);
        throw new Error("no process is needed");
      },
      furtherFolders: Deno.args,
      onOutput() {},
      onEnd() {},
    });
  } catch (error) {
    console.log(JSON.stringify([folder, String(error)]));
  }
`;

/** Begins a process in a program of its own: the folder for temporary files is that of all tests that run. */
async function beginIn(
  temporary: string,
  ...furtherFolders: readonly string[]
): Promise<readonly [folder: string | null, failure: string]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", BEGINNER, ...furtherFolders],
    env: { TMPDIR: temporary },
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("a socket is made in a further folder if the folder for temporary files takes none", async () => {
  await using folder = new TestFolder();
  const tooLong = folder.file("x".repeat(120));
  await Deno.mkdir(tooLong);
  await Deno.mkdir(folder.file("further"));
  for (const place of [tooLong, folder.file("missing")]) {
    const [made, failure] = await beginIn(place, folder.file("other"), folder.file("further"));
    assert.equal(failure, "Error: no process is needed");
    assert.equal(dirname(made!), folder.file("further"));
    assert.throws(() => Deno.statSync(made!), Deno.errors.NotFound);
  }
  assert.deepEqual([...Deno.readDirSync(tooLong)], []);
});

Deno.test("a process for which no socket can be made anywhere leaves nothing behind, and the error says what to set", async () => {
  await using folder = new TestFolder();
  const tooLong = folder.file("x".repeat(120));
  await Deno.mkdir(tooLong);
  for (const place of [tooLong, folder.file("missing")]) {
    const [made, failure] = await beginIn(place);
    assert.equal(made, null);
    assert.match(failure, /^Error: Cannot make a socket .*\. Set TMPDIR to a folder /);
  }
  assert.deepEqual([...Deno.readDirSync(tooLong)], []);
});

for (
  const report of [
    "nonsense",
    "null",
    `{"type":"recalled","question":1,"slots":[64]}`,
    `{"type":"ended","id":1,"reason":{"toString":1},"unstarted":[],"received":0}`,
    `{"type":"ended","id":1,"reason":"","received":0}`,
  ]
) {
  Deno.test(`a process that reports ${report} is ended`, async () => {
    const process = startProcess(reporting(report));
    const thread = process.spawn({ name: "test#1", claims: new Claims().buffer }, 64);
    assert.match(await thread.ended, /^its process sent what cannot be read: /);
    await process.ended;
  });
}

Deno.test("a process is known by its token, however many connections came before and say nothing", async () => {
  const process = startProcess(`
    const others = [];
    for (let count = 0; count < 40; count++) others.push(await connect());
    await others[30].write(new TextEncoder().encode("no token of ".repeat(3)));
    const connection = await connect();
    await connection.write(new TextEncoder().encode(token));
    await connection.write(new Uint8Array(16).fill(3));
    setInterval(() => {}, 1_000);
  `);
  const thread = process.spawn({ name: "test#1", claims: new Claims().buffer }, 64);
  assert.match(await thread.ended, /^its process sent what cannot be read: Cannot read a frame/);
  await process.ended;
});

for (
  const [what, before] of [
    ["", ""],
    [" before it has read what was sent", "await connection.read(new Uint8Array(1));"],
  ] as const
) {
  Deno.test(`a process that closes its connection${what} and goes on is ended`, async () => {
    const process = startProcess(`
      const connection = await connect();
      await connection.write(new TextEncoder().encode(token));
      ${before}
      connection.close();
      setInterval(() => {}, 1_000);
    `);
    const thread = process.spawn({ name: "test#1", claims: new Claims().buffer }, 64);
    assert.equal(await thread.ended, "its process closed its connection");
    await process.ended;
  });
}

/** Runs a process that starts another one, which holds its streams open, and tells the id of that. */
const PARENT = `
  import { ServiceProcess } from ${SERVICE_PROCESS};
  const { ended } = new ServiceProcess({
    command: () => ({ path: "/bin/sh", args: ["-c", "sleep 20 & echo $!"], env: {} }),
    onOutput: (lines) => console.log(lines),
    onEnd: () => {},
  });
  await ended;
`;

Deno.test("a program whose process has ended ends, though what the process has started goes on", async () => {
  const begin = performance.now();
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-config", PARENT] })
    .output();
  const took = performance.now() - begin;
  Deno.kill(Number(new TextDecoder().decode(stdout)), "SIGKILL");
  assert.ok(took < 20_000, `it took ${took} ms`);
});

Deno.test({
  name: "a program that may not listen at a socket is told so, and not to use another folder",
  permissions: { read: true, write: true, env: true },
  fn() {
    assert.throws(
      () => startProcess(""),
      /^Error: Cannot make a socket .*net access to .*\. Start this program with -A$/,
    );
  },
});
