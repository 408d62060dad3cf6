import { type Binaries, SHOP } from "./binaries.ts";
import { Program, type ProgramEnd, runProgram } from "./program.ts";

const SOURCE = ["run", "-A", new URL("../../cli.ts", import.meta.url).pathname];

/** A way to start the shop and the commands. */
export interface Launcher {
  readonly name: string;
  /** Words that serve the shop. */
  readonly shop: readonly [string, ...string[]];
  /** Words that come before a command. */
  readonly commands: readonly [string, ...string[]];
}

/** `deno run`, and the binaries where there are any. */
export function launchers(binaries: Binaries | undefined): readonly Launcher[] {
  const source: Launcher["commands"] = [Deno.execPath(), ...SOURCE];
  const run: Launcher = { name: "deno run cli.ts", shop: [...source, "run", SHOP], commands: source };
  if (binaries === undefined) return [run];
  const { generic, application } = binaries;
  return [
    run,
    { name: "The generic binary", shop: [generic, "run", SHOP], commands: [generic] },
    { name: "The application binary", shop: [application], commands: [generic] },
    {
      name: "The application binary with processes",
      shop: [application, "--isolation", "process"],
      commands: [generic],
    },
  ];
}

/** A shop that is served over a broker, and the commands to use it with. */
export class ServedShop implements AsyncDisposable {
  readonly program: Program;
  readonly #launcher: Launcher;
  readonly #broker: string;

  constructor(launcher: Launcher, broker: string, ...flags: readonly string[]) {
    this.#launcher = launcher;
    this.#broker = broker;
    this.program = new Program([
      ...launcher.shop,
      ...["--broker", broker, "--http", "127.0.0.1:0", "--log-level", "debug"],
      ...flags,
    ]);
  }

  /** Resolves with the URL of its HTTP server, when it serves. */
  async ready(): Promise<string> {
    await this.program.says("Press Ctrl-C");
    return /Ready on .* and (http:\S+)/.exec(this.program.err)![1]!;
  }

  /** Calls a method by the command line. */
  call(method: string, ...words: readonly string[]): Promise<ProgramEnd> {
    return this.#command("call", "--timeout", "10", `shop.${method}`, ...words);
  }

  /** Dispatches an event by the command line. */
  emit(type: string, payload: unknown): Promise<ProgramEnd> {
    return this.#command("emit", "shop", type, JSON.stringify(payload));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }

  #command(name: string, ...words: readonly string[]): Promise<ProgramEnd> {
    return runProgram([...this.#launcher.commands, name, "--broker", this.#broker, ...words]);
  }
}
