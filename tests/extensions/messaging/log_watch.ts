import { configureLogging } from "../../../runtime/log/observe.ts";

/** One line of the log. */
export interface LogLine {
  readonly level: string;
  readonly service: string;
  readonly message: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** The log of everything that runs in this process, from when it is made. */
export class LogWatch {
  readonly #lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();

  constructor() {
    configureLogging({
      format: "json",
      write: (line) => {
        this.#lines.push(JSON.parse(line));
        for (const look of this.#waiting) look();
      },
    });
  }

  /** What was logged with this message, as soon as it was so often; within 20 s. */
  async lines(message: string, count: number): Promise<readonly LogLine[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly LogLine[]>();
    const look = () => {
      const found = this.#lines.filter((line) => line.message === message);
      if (found.length >= count) resolve(found);
    };
    const limit = setTimeout(() => reject(new Error(`Nothing logged "${message}" ${count} times`)), 20_000);
    this.#waiting.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(limit);
      this.#waiting.delete(look);
    }
  }
}
