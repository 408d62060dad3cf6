import type { Config } from "../../../extensions/run.ts";

const CLI = new URL("../../../cli.ts", import.meta.url).pathname;

/** `enoki run` in a process of its own, over memory; disposing it kills it. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;

  constructor(child: Deno.ChildProcess, url: string, folder: string, ended: Promise<Deno.CommandStatus>) {
    this.#child = child;
    this.url = url;
    this.#folder = folder;
    this.ended = ended;
  }

  /** Resolves when it serves. */
  static async start(modules: readonly string[], config: Config = {}): Promise<ServerProcess> {
    const folder = await Deno.makeTempDir({ prefix: "enoki-http-" });
    const file = `${folder}/config.yaml`;
    await Deno.writeTextFile(file, JSON.stringify({ WEB_SERVER_ADDRESS: "127.0.0.1:0", ...config }));
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        CLI,
        "run",
        "-A",
        "--broker",
        "memory:",
        "--config",
        file,
        ...modules,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    const lines = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    let url: string | undefined;
    while (url === undefined) {
      const { done, value } = await lines.read();
      if (done) throw new Error(`Cannot serve: the process ended: ${said}`);
      said += value;
      url = /\S*(?:https?:\/\/|unix:)\S+(?= after)/.exec(said)?.[0];
    }
    const drained = (async () => {
      while (!(await lines.read()).done);
      return await child.status;
    })();
    return new ServerProcess(child, url, folder, drained);
  }

  /** Mebibytes of memory that it occupies. */
  async memory(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.ended;
    await Deno.remove(this.#folder, { recursive: true });
  }
}
