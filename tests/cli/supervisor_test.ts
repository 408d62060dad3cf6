/** The supervisor with small programs in place of services. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { Supervisor } from "../../extensions/cli/processes/supervisor.ts";
import { configureLogging, resetLogging } from "../../runtime/log/observe.ts";

const PROGRAM = new URL("../fixtures/supervised_program.ts", import.meta.url).pathname;

/** A supervisor whose processes and whose own log write to one place. */
class Stage implements AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly folder: string;
  #said = "";
  #look = (): void => {};

  constructor(role: string, processes: number) {
    this.folder = Deno.makeTempDirSync({ prefix: "enoki-supervisor-" });
    Deno.writeTextFileSync(this.file, "");
    const write = (lines: string) => {
      this.#said += lines;
      this.#look();
    };
    configureLogging({ write: (line) => write(`${line}\n`) });
    this.supervisor = new Supervisor({
      program: { path: Deno.execPath(), args: ["run", "-A", "--no-check", PROGRAM, role, this.file] },
      processes,
      folder: this.folder,
      output: { stdout: write, stderr: write },
      grace: 30_000,
      colors: false,
    });
  }

  /** Its content is the status with which new processes end before they serve. */
  get file(): string {
    return `${this.folder}/status`;
  }

  /** What the processes have said, in order. */
  get said(): readonly string[] {
    return this.#said.split("\n").slice(0, -1);
  }

  /** Resolves when the pattern has been said, with the match. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve } = Promise.withResolvers<RegExpExecArray>();
    this.#look = () => {
      const found = pattern.exec(this.#said);
      if (found !== null) resolve(found);
    };
    this.#look();
    return await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.supervisor.abort();
    await this.supervisor.stop();
    resetLogging();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("Supervisor.start() lets the others begin when the first process serves", async () => {
  await using stage = new Stage("plain", 3);
  await stage.supervisor.start();
  deepStrictEqual([stage.said[0], ...stage.said.slice(1).sort()], [
    "0 begins, the first",
    "1 begins",
    "2 begins",
  ]);
});

Deno.test("Supervisor.start() ends with the status of a first process that ends before it serves", async () => {
  await using stage = new Stage("plain", 3);
  await Deno.writeTextFile(stage.file, "2");
  strictEqual(await stage.supervisor.start(), undefined);
  deepStrictEqual([stage.supervisor.status, stage.said], [2, ["0 begins, the first"]]);
});

Deno.test("Supervisor.stop() tells all processes, and the worst status is that of the run", async () => {
  await using stage = new Stage("plain", 3);
  await stage.supervisor.start();
  await stage.supervisor.stop();
  deepStrictEqual(stage.said.slice(3).sort(), [0, 1, 2].map((index) => `${index} is told SIGTERM`));
  strictEqual(stage.supervisor.status, 2);
});

Deno.test("Supervisor.abort() ends processes that do not stop politely", async () => {
  await using stage = new Stage("stubborn", 2);
  await stage.supervisor.start();
  const stopped = stage.supervisor.stop();
  await stage.says(/1 is told SIGTERM/);
  stage.supervisor.abort();
  await stopped;
  deepStrictEqual(stage.said.filter((line) => line.includes("SIGINT")).length, 2);
});

Deno.test("Supervisor starts a process again that was killed, and says so", async () => {
  await using stage = new Stage("plain", 2);
  await stage.supervisor.start();
  const [pid] = stage.supervisor.pids;
  Deno.kill(pid!, "SIGKILL");
  const said = new RegExp(`Process ${pid} has ended with status 137\\. Starting it again in \\d+ ms`);
  await stage.says(said);
  await stage.says(new RegExp(`Process \\d+ serves in place of process ${pid}`));
  strictEqual(stage.said.filter((line) => line === "0 begins").length, 1);
});

Deno.test("Supervisor.restart() lets each process leave once a new one serves in its place", async () => {
  await using stage = new Stage("plain", 2);
  await stage.supervisor.start();
  await stage.supervisor.restart();
  deepStrictEqual(stage.said.filter((line) => !line.includes("info")).slice(2), [
    "0 begins, and takes over",
    "0 is told SIGTERM",
    "1 begins, and takes over",
    "1 is told SIGTERM",
  ]);
});

Deno.test("Supervisor.restart() leaves the old processes alone where a new one does not start", async () => {
  await using stage = new Stage("plain", 2);
  await stage.supervisor.start();
  const { pids } = stage.supervisor;
  await Deno.writeTextFile(stage.file, "2");
  await stage.supervisor.restart();
  match(stage.said.at(-1)!, /Cannot restart: new process \d+ has ended with status 2\. The old ones go on$/);
  deepStrictEqual(stage.supervisor.pids, pids);
});
