/** The files that handlers of Python's `logging` write to, with their rotation. */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { getLog } from "../../runtime/log/observe.ts";
import { Outlet } from "../../runtime/log/outlet.ts";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import { formatTime } from "./time_format.ts";

/** Decides when a file is put aside, and puts it aside. */
export interface Rotation {
  /** Says whether a file of that size is full before so many bytes are added. */
  isDue(path: string, size: number, added: number): boolean;
  rotate(path: string): void;
}

/** Options of {@linkcode LogFile}. */
export interface LogFileOptions {
  /** Whether the file begins anew at each start. @default {false} */
  readonly isNew?: boolean;
  /** @default {never} */
  readonly rotation?: Rotation | undefined;
  /** Whether the file is opened again when somebody has moved it away. @default {false} */
  readonly isWatched?: boolean;
}

/** A file that lines are added to. */
export class LogFile implements Disposable {
  readonly #path: string;
  readonly #rotation: Rotation | undefined;
  readonly #isWatched: boolean;
  readonly #outlet: Outlet;
  #file: number | undefined;
  /** Whether the open file has been put aside, because its successor could not be opened. */
  #isAside = false;

  /** @throws {ConfigurationError} If the file cannot be written. */
  constructor(path: string, { isNew = false, rotation, isWatched = false }: LogFileOptions = {}) {
    this.#path = path;
    this.#rotation = rotation;
    this.#isWatched = isWatched;
    try {
      this.#file = openSync(path, isNew ? "w" : "a");
    } catch (error) {
      throw new ConfigurationError(
        `Cannot write log file "${path}" of LOGGING: ${
          (error as Error).message
        }. Make its folder, or name another file`,
        { cause: error },
      );
    }
    this.#outlet = new Outlet({
      write: (bytes) => this.#add(bytes),
      onDropped: (count) =>
        getLog().warning(
          `Dropped ${count} ${count === 1 ? "line" : "lines"} of the log: cannot write "${path}"`,
        ),
    });
  }

  /** Adds a line, which has no line break. It never throws. */
  write(line: string): void {
    if (this.#file !== undefined) this.#outlet.write(`${line}\n`);
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #add(bytes: Uint8Array): number {
    if (this.#isAside || (this.#isWatched && !this.#isInPlace())) this.#reopen();
    if (this.#rotation?.isDue(this.#path, fstatSync(this.#file!).size, bytes.length)) {
      this.#rotation.rotate(this.#path);
      this.#isAside = true;
      this.#reopen();
    }
    return writeSync(this.#file!, bytes);
  }

  #isInPlace(): boolean {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    const here = fstatSync(this.#file!);
    return there !== undefined && there.ino === here.ino && there.dev === here.dev;
  }

  #reopen(): void {
    // Once it is closed, its number may become that of another file, so the new file has to be there before.
    const file = openSync(this.#path, "a");
    closeSync(this.#file!);
    this.#file = file;
    this.#isAside = false;
  }
}

/** Python's `RotatingFileHandler`: `app.log` becomes `app.log.1` and so on. */
export class SizeRotation implements Rotation {
  readonly #most: number;
  readonly #kept: number;

  /**
   * @param most Bytes that the file may have; 0 for any number.
   * @param kept Number of former files; 0 for no rotation at all.
   */
  constructor(most: number, kept: number) {
    this.#most = most;
    this.#kept = kept;
  }

  isDue(_path: string, size: number, added: number): boolean {
    return this.#most > 0 && this.#kept > 0 && size > 0 && size + added > this.#most;
  }

  rotate(path: string): void {
    for (let number = this.#kept - 1; number >= 1; number--) {
      if (existsSync(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
    }
    renameSync(path, `${path}.1`);
  }
}

/** When a file is put aside: every so many seconds, or at midnight, of each day or of one day of the week. */
export type RotationTime =
  | { readonly every: number; readonly suffix: string }
  | { readonly weekday: number | undefined; readonly suffix: string };

/** Options of {@linkcode TimeRotation}. */
export interface TimeRotationOptions {
  readonly when: RotationTime;
  /** Number of former files; 0 for all. */
  readonly kept: number;
  readonly isUtc: boolean;
  /** @default {Date.now} */
  readonly now?: () => number;
}

/** Python's `TimedRotatingFileHandler`: `app.log` becomes `app.log.2026-01-31`, by the start of its period. */
export class TimeRotation implements Rotation {
  readonly #options: TimeRotationOptions;
  readonly #now: () => number;
  #next: number | undefined;

  constructor(options: TimeRotationOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  isDue(path: string): boolean {
    // A file of an earlier start counts from its last line on.
    this.#next ??= this.#after(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? this.#now());
    return this.#now() >= this.#next;
  }

  rotate(path: string): void {
    const { when: { suffix }, kept, isUtc } = this.#options;
    const former = `${path}.${formatTime(this.#startOf(this.#next!), suffix, isUtc)}`;
    rmSync(former, { force: true });
    renameSync(path, former);
    this.#next = this.#after(this.#now());
    if (kept === 0) return;
    const folder = dirname(path);
    const start = `${basename(path)}.`;
    const all = readdirSync(folder).filter((name) =>
      name.startsWith(start) && /^\d{4}-/.test(name.slice(start.length))
    );
    for (const name of all.sort().slice(0, -kept)) rmSync(join(folder, name), { force: true });
  }

  /** Returns the end of the period that a time is in. */
  #after(time: number): number {
    const { when, isUtc } = this.#options;
    if ("every" in when) return time + when.every * 1_000;
    const date = new Date(time);
    if (isUtc) date.setUTCHours(24, 0, 0, 0);
    else date.setHours(24, 0, 0, 0);
    if (when.weekday === undefined) return date.getTime();
    // Python rotates at the end of that day; its Monday is 0.
    const days = when.weekday + 2 - (isUtc ? date.getUTCDay() : date.getDay());
    return daysLater(date.getTime(), (days + 7) % 7, isUtc);
  }

  /** Returns the start of the period that ends at a time. */
  #startOf(end: number): number {
    const { when, isUtc } = this.#options;
    if ("every" in when) return end - when.every * 1_000;
    return daysLater(end, when.weekday === undefined ? -1 : -7, isUtc);
  }
}

/** Moves a time by days of the calendar, one of which may have 23 or 25 hours where it is not that of UTC. */
function daysLater(time: number, days: number, isUtc: boolean): number {
  const date = new Date(time);
  if (isUtc) date.setUTCDate(date.getUTCDate() + days);
  else date.setDate(date.getDate() + days);
  return date.getTime();
}
