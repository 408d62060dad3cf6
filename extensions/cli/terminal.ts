import type { Screen } from "./command_io.ts";

/** Makes the screen of this process. Its standard output must be a terminal. */
export function terminalScreen(): Screen {
  return {
    colors: !Deno.noColor,
    size() {
      const { columns, rows } = Deno.consoleSize();
      return { columns: columns || 80, rows: rows || 24 };
    },
    onKeys: (listener) => Deno.stdin.isTerminal() ? readKeys(listener) : undefined,
  };
}

/** Reads what the user types, without waiting for the end of a line. Ctrl-C stays a signal. */
function readKeys(listener: (keys: string) => void): Disposable {
  let isOver = false;
  Deno.stdin.setRaw(true, { cbreak: true });
  const read = async () => {
    const bytes = new Uint8Array(64);
    const decoder = new TextDecoder();
    while (!isOver) {
      const length = await Deno.stdin.read(bytes);
      if (length === null) return;
      if (!isOver) listener(decoder.decode(bytes.subarray(0, length), { stream: true }));
    }
  };
  // A terminal that is gone has no more keys.
  read().catch(() => {});
  return {
    [Symbol.dispose]() {
      isOver = true;
      Deno.stdin.setRaw(false);
    },
  };
}
