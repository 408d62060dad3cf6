import type { Environment } from "../../runtime/config/references.ts";

/** What a user stops a command with. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** The world of a command: its process, or a test. */
export interface CommandIo {
  /** How the user calls the program, such as `enoki`. */
  readonly program: string;
  /** What `--version` prints. */
  readonly version: string;
  /** Revision of Enoki's own source, where `compile` has written it into this program. */
  readonly revision?: string;
  /** What is inside the program, in place of commands. */
  readonly application?: Application;
  readonly env: Environment;
  /** Whether messages go to a terminal, where a line can be replaced. */
  readonly terminal: boolean;
  readonly colors: boolean;
  /** Width of the terminal. */
  readonly columns: number;
  /** Writes a result. */
  readonly writeResult: (text: string) => void;
  /** Writes a message for people. */
  readonly writeMessage: (text: string) => void;
  /**
   * Called before threads are needed: starts the process over where it lacks a flag of Deno's. Resolves with the
   * exit status if another process has done the work, else with undefined.
   */
  readonly startOver: () => Promise<number | undefined>;
  /** Has `listener` called for each signal, until the returned value is disposed. */
  readonly onStop: (listener: (signal: StopSignal) => void) => Disposable;
}

/** What `compile` has written into a binary. */
export interface Build {
  /** Revision of Enoki's own source, where it was known. */
  readonly revision?: string;
  /** Absent in a binary that takes its services from the command line. */
  readonly application?: Application;
}

/** Services inside a binary. */
export interface Application {
  readonly name: string;
  /** Revision of their source, where it was known. */
  readonly revision?: string;
  /** Module specifiers. */
  readonly modules: readonly string[];
  /** A configuration file's text, for the keys that are set nowhere else. */
  readonly config?: string;
}
