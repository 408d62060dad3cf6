import type { Measurement } from "./load.ts";
import { lines } from "./peer.ts";

/** A server and a client of one kind, each in its own process. */
export class RpcSide implements AsyncDisposable {
  readonly #processes: readonly Deno.ChildProcess[];
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: AsyncGenerator<string>;

  constructor(processes: readonly Deno.ChildProcess[], output: AsyncGenerator<string>) {
    this.#processes = processes;
    this.#input = processes[1]!.stdin.getWriter();
    this.#output = output;
  }

  /** @param env Variables of both processes, beside those of this one. @default {{}} */
  static async start(
    kind: string,
    broker: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<RpcSide> {
    const server = spawn(["serve", kind, broker], env);
    await lines(server.stdout).next();
    const client = spawn(["load", kind, broker], env);
    const output = lines(client.stdout);
    await output.next();
    return new RpcSide([server, client], output);
  }

  /** Keeps `inFlight` calls going for `duration` milliseconds. */
  async load(inFlight: number, duration: number): Promise<Measurement> {
    await this.#input.write(new TextEncoder().encode(`${inFlight} ${duration}\n`));
    const { value } = await this.#output.next();
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    for (const process of this.#processes) process.kill("SIGKILL");
    await Promise.all(this.#processes.map((process) => process.status));
  }
}

function spawn(args: readonly string[], env: Readonly<Record<string, string>>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", new URL(import.meta.resolve("./peer.ts")).pathname, ...args],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}
