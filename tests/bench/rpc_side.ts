import type { Measurement } from "./load.ts";
import { lines } from "./peer.ts";

/** The folder of the benchmark in this tree. */
const FOLDER = new URL("./", import.meta.url);

/** Variables of processes, beside those of this one. */
type Variables = Readonly<Record<string, string>>;

/** A server and a client of one kind, each in its own process. */
export class RpcSide implements AsyncDisposable {
  readonly #server: ReadyProcess;
  readonly #client: ReadyProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  constructor(server: ReadyProcess, client: ReadyProcess) {
    this.#server = server;
    this.#client = client;
    this.#input = client.process.stdin.getWriter();
  }

  /** @param env Variables of both processes. @default {{}} */
  static start(kind: string, broker: string, env: Variables = {}): Promise<RpcSide> {
    return RpcSide.startIn(FOLDER, kind, broker, env);
  }

  /** @param folder The folder of the benchmark, in this tree or in another. */
  static startIn(folder: URL, kind: string, broker: string, env: Variables = {}): Promise<RpcSide> {
    const script = new URL("peer.ts", folder).pathname;
    const command = (role: string) =>
      [Deno.execPath(), "run", "-A", "--no-prompt", script, role, kind, broker] as const;
    return RpcSide.run(command("serve"), command("load"), env);
  }

  /** Runs any two programs that keep to the protocol of `peer.ts`. */
  static async run(serve: Command, load: Command, env: Variables = {}): Promise<RpcSide> {
    const server = await start(serve, env);
    try {
      return new RpcSide(server, await start(load, env));
    } catch (error) {
      await kill(server.process);
      throw error;
    }
  }

  /** Keeps `inFlight` calls going for `duration` milliseconds. */
  async load(inFlight: number, duration: number): Promise<Measurement> {
    await this.#input.write(new TextEncoder().encode(`${inFlight} ${duration}\n`));
    const { value } = await this.#client.output.next();
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await Promise.all([kill(this.#server.process), kill(this.#client.process)]);
  }
}

type Command = readonly [program: string, ...args: string[]];

/** A process that has said that it is ready. */
interface ReadyProcess {
  readonly process: Deno.ChildProcess;
  readonly output: AsyncGenerator<string>;
}

async function start([program, ...args]: Command, env: Variables): Promise<ReadyProcess> {
  const process = new Deno.Command(program, {
    args,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = lines(process.stdout);
  if ((await output.next()).done) throw new Error("its process ended before it was ready");
  return { process, output };
}

async function kill(process: Deno.ChildProcess): Promise<void> {
  process.kill("SIGKILL");
  await process.status;
}
