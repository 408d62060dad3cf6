import { main } from "../../cli.ts";
import type { CommandIo, StopSignal } from "../../extensions/cli/command_io.ts";

/** Folder of the service modules that tests serve. */
export const SERVICES = new URL("../fixtures/services/", import.meta.url).pathname;

/** Folder of the runtime, whose files a user's stack does not show. */
export const RUNTIME = new URL("../../runtime/", import.meta.url).pathname;

/** The service of the README. */
export const GREETING = new URL("../../examples/greeting/service.ts", import.meta.url).pathname;

/** The program and the arguments of the command line in a process of its own. */
export const PROGRAM: readonly [string, ...string[]] = [
  Deno.execPath(),
  "run",
  "-A",
  "--no-check",
  new URL("../../cli.ts", import.meta.url).pathname,
];

/** A command that has ended. */
export interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Options of {@linkcode Command}. */
export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The working folder. @default {that of the tests} */
  readonly folder?: string;
  readonly terminal?: boolean;
  /** What the command reads. @default {""} */
  readonly input?: string;
  /** Answers what the command asks the user. @default {nobody sits there} */
  readonly ask?: (question: string, proposal: string) => string | null;
  /** Size of the terminal that results go to, and on which the user types. @default {none} */
  readonly screen?: { readonly columns: number; readonly rows: number };
}

/** A command of the command line, run in this process. */
export class Command {
  readonly ended: Promise<Ended>;
  readonly #listeners = new Set<(signal: StopSignal) => void>();
  readonly #waiting = new Set<() => void>();
  #typed: ((keys: string) => void) | undefined;
  #out = "";
  #err = "";
  #over = false;

  constructor(
    argv: readonly string[],
    { env = {}, folder, terminal = false, input = "", ask, screen }: CommandOptions = {},
  ) {
    const io: CommandIo = {
      program: "enoki",
      version: "enoki 1.2.3",
      extensions: [],
      env: new Map(Object.entries(env)),
      ...(folder !== undefined && { folder }),
      terminal,
      colors: false,
      columns: 80,
      input: { terminal: false, read: () => Promise.resolve(input), ...(ask && { ask }) },
      ...(screen && {
        screen: {
          colors: false,
          size: () => screen,
          onKeys: (listener) => {
            this.#typed = listener;
            return { [Symbol.dispose]: () => void (this.#typed = undefined) };
          },
        },
      }),
      writeResult: (text) => {
        this.#out += text;
        for (const look of this.#waiting) look();
      },
      writeMessage: (text) => {
        this.#err += text;
        for (const look of this.#waiting) look();
      },
      startOver: () => Promise.resolve(undefined),
      onStop: (listener) => {
        this.#listeners.add(listener);
        return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
      },
    };
    this.ended = main(argv, io).then((status) => {
      this.#over = true;
      for (const look of this.#waiting) look();
      return { status, out: this.#out, err: this.#err };
    });
  }

  /** Listeners of signals. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Whether it reads what the user types. */
  get isReading(): boolean {
    return this.#typed !== undefined;
  }

  /** Types keys. */
  type(keys: string): void {
    this.#typed?.(keys);
  }

  /** Resolves when the messages hold `text`; rejects if the command ends without. */
  says(text: string): Promise<void> {
    return this.#shows(() => this.#err, text);
  }

  /** Resolves when the results from now on hold `text`; rejects if the command ends without. */
  draws(text: string): Promise<void> {
    const from = this.#out.length;
    return this.#shows(() => this.#out.slice(from), text);
  }

  async #shows(written: () => string, text: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (written().includes(text)) resolve();
      else if (this.#over) reject(new Error(`The command ended and never said "${text}": ${written()}`));
    };
    this.#waiting.add(look);
    look();
    await promise.finally(() => this.#waiting.delete(look));
  }

  /** Sends a signal. */
  signal(signal: StopSignal): void {
    for (const listener of [...this.#listeners]) listener(signal);
  }
}

/** Runs a command to its end. */
export function enoki(argv: readonly string[], options?: CommandOptions): Promise<Ended> {
  return new Command(argv, options).ended;
}

/** Runs a test with the address of a local broker of its own, and the folder that it is in. */
export async function withBroker(test: (broker: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-cli-" });
  try {
    await test(`local://${folder}/broker.sock`, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a test while a module is served. */
export async function withService(
  module: string,
  test: (broker: string) => Promise<void>,
  options: readonly string[] = [],
): Promise<void> {
  await withBroker(async (broker) => {
    const serving = new Command(["run", "--broker", broker, "--log-level", "error", ...options, module]);
    try {
      await serving.says("Ready on");
      await test(broker);
    } finally {
      serving.signal("SIGTERM");
      await serving.ended;
    }
  });
}

/**
 * Runs `ps` until the process that has just begun to serve answers, and returns what that printed: a service serves
 * before its process answers.
 */
export async function answerTo(broker: string): Promise<Ended> {
  while (true) {
    const ended = await enoki(["ps", "--broker", broker]);
    if (ended.out !== "") return ended;
  }
}
