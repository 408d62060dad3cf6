/** How a program ended. */
export interface ProgramEnd {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Options of {@linkcode Program}. */
export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the program has no other environment. @default {false} */
  readonly clearEnv?: boolean;
  readonly cwd?: string;
}

/** Milliseconds that a message may take. */
const PATIENCE = 60_000;

/** A process whose messages are read as they come. Disposing it kills what still runs. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<ProgramEnd>;
  readonly #waiting = new Set<() => void>();
  #err = "";
  #over = false;

  constructor([command, ...args]: readonly [string, ...string[]], options: ProgramOptions = {}) {
    this.#child = new Deno.Command(command, {
      ...options,
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#ended = this.#run();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** All messages until now. */
  get err(): string {
    return this.#err;
  }

  /** Resolves when the messages match; rejects if the program ends without, or takes too long. */
  async says(pattern: string | RegExp): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (typeof pattern === "string" ? this.#err.includes(pattern) : pattern.test(this.#err)) resolve();
      else if (this.#over) reject(new Error(`The program ended and never said ${pattern}: ${this.#err}`));
    };
    const limit = setTimeout(
      () => reject(new Error(`The program does not say ${pattern}: ${this.#err}`)),
      PATIENCE,
    );
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(limit);
      this.#waiting.delete(look);
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended. */
  end(): Promise<ProgramEnd> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.kill("SIGKILL");
    await this.#ended;
  }

  async #run(): Promise<ProgramEnd> {
    const out = new Response(this.#child.stdout).text();
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#err += text;
      this.#look();
    }
    const { code } = await this.#child.status;
    this.#over = true;
    this.#look();
    return { status: code, out: await out, err: this.#err };
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

/** Runs a program to its end. */
export async function runProgram(
  words: readonly [string, ...string[]],
  options?: ProgramOptions,
): Promise<ProgramEnd> {
  await using program = new Program(words, options);
  return await program.end();
}
