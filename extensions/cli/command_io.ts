import type { Environment } from "../../runtime/config/references.ts";

/** A signal with which a user stops a command. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** What a command can read. */
export interface CommandInput {
  /** Whether a user types it at a terminal. */
  readonly terminal: boolean;
  /** Reads all of it. */
  readonly read: () => Promise<string>;
  /**
   * Asks the user a question, and gives the answer, or null for none. Undefined if no user sits at a terminal.
   *
   * @param proposal The answer that the user takes by typing nothing.
   */
  readonly ask?: (question: string, proposal: string) => string | null;
}

/** The surroundings of a command, which its process or a test provides. */
export interface CommandIo {
  /** How the user calls the program, such as `enoki`. */
  readonly program: string;
  /** What `--version` prints. */
  readonly version: string;
  /** Revision of Enoki's own source, if `compile` has written it into this program. */
  readonly revision?: string;
  /** The services inside the program. A program with services has no commands. */
  readonly application?: Application;
  /** URLs of the extensions inside the program. */
  readonly extensions: readonly string[];
  readonly env: Environment;
  /** The working folder, in which a configuration is found. @default {that of the process} */
  readonly folder?: string;
  /** Whether messages go to a terminal, on which the command can replace a line. */
  readonly terminal: boolean;
  readonly colors: boolean;
  /** Width of the terminal. */
  readonly columns: number;
  /** The terminal that results go to; undefined if they go elsewhere, such as into a file. */
  readonly screen?: Screen;
  readonly input: CommandInput;
  /** Writes a result. */
  readonly writeResult: (text: string) => void;
  /** Writes a message for people. */
  readonly writeMessage: (text: string) => void;
  /**
   * Starts the process over if it lacks a flag of Deno. A command calls this method before it needs threads.
   * The method resolves with the exit status if another process has done the work, otherwise with undefined.
   *
   * @param module Path or URL of the first module that the command loads. Its project has the lock file for packages.
   */
  readonly startOver: (module?: string) => Promise<number | undefined>;
  /** Calls `listener` for each signal, until the caller disposes the returned value. */
  readonly onStop: (listener: (signal: StopSignal) => void) => Disposable;
}

/** A terminal that a command can draw on. */
export interface Screen {
  readonly colors: boolean;
  /** Returns its present size in characters. */
  size(): { readonly columns: number; readonly rows: number };
  /**
   * Calls `listener` for what the user types, as it is typed, until the caller disposes the returned value. Gives
   * undefined if the user does not type at a terminal.
   */
  onKeys(listener: (keys: string) => void): Disposable | undefined;
}

/** Facts that `compile` has written into a binary. */
export interface Build {
  /** Revision of Enoki's own source, if `compile` knew it. */
  readonly revision?: string;
  /** URLs of the extensions inside the binary. @default {[]} */
  readonly extensions?: readonly string[];
  /** The services inside the binary. Absent if the binary takes its services from the command line. */
  readonly application?: Application;
}

/** Services inside a binary. */
export interface Application {
  readonly name: string;
  /** Revision of the services' source, if `compile` knew it. */
  readonly revision?: string;
  /** Specifiers of the modules to serve. */
  readonly modules: readonly string[];
  /** Kinds of entrypoints that its services have, as far as `compile` could tell. */
  readonly kinds: readonly string[];
  /** Text of a configuration file, for the keys that are set nowhere else. */
  readonly config?: string;
}
