import { lines } from "./peer.ts";

/** The folder of the benchmark in this tree. */
const FOLDER = new URL("./", import.meta.url);

/** A process of a benchmark that serves, and prints first at which port. Disposing it kills it. */
export class PortPeer implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;

  constructor(process: Deno.ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** @param module Name of the module beside this one that the process runs. */
  static start(module: string, ...args: readonly string[]): Promise<PortPeer> {
    return PortPeer.startIn(FOLDER, module, ...args);
  }

  /** @param folder The folder of the benchmark, in this tree or in another. */
  static startIn(folder: URL, module: string, ...args: readonly string[]): Promise<PortPeer> {
    return PortPeer.run(Deno.execPath(), ...denoRun(new URL(module, folder), args));
  }

  /** The same, and nobody sees its log. */
  static startUnseen(module: string, ...args: readonly string[]): Promise<PortPeer> {
    return PortPeer.#spawn(Deno.execPath(), denoRun(new URL(module, FOLDER), args), "null");
  }

  /** Runs any program that serves and prints its port. */
  static run(program: string, ...args: readonly string[]): Promise<PortPeer> {
    return PortPeer.#spawn(program, args, "inherit");
  }

  static async #spawn(
    program: string,
    args: readonly string[],
    stderr: "inherit" | "null",
  ): Promise<PortPeer> {
    const process = new Deno.Command(program, { args: [...args], stdin: "null", stdout: "piped", stderr })
      .spawn();
    const { value } = await lines(process.stdout).next();
    if (value === undefined) throw new Error("its process ended before it served");
    return new PortPeer(process, Number(value));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

function denoRun(script: URL, args: readonly string[]): readonly string[] {
  return ["run", "-A", "--no-prompt", script.pathname, ...args];
}
