import { lines } from "./peer.ts";

/** A process of a benchmark that serves, and prints first at which port. Disposing it kills it. */
export class PortPeer implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;

  constructor(process: Deno.ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** @param module Name of the module beside this one that the process runs. */
  static async start(module: string, ...args: readonly string[]): Promise<PortPeer> {
    const script = new URL(module, import.meta.url).pathname;
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", script, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const { value } = await lines(process.stdout).next();
    return new PortPeer(process, Number(value));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}
