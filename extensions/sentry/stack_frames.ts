/** One frame of a stack, in the form that Sentry takes. */
export interface StackFrame {
  readonly function: string;
  readonly filename: string;
  readonly lineno: number;
  readonly colno: number;
  /** Whether the frame is one of the program itself, and not of a package or of Deno. */
  readonly in_app: boolean;
}

/** An error of a chain of causes, in the form that Sentry takes. */
export interface ExceptionValue {
  readonly type: string;
  readonly value: string;
  readonly stacktrace?: { readonly frames: readonly StackFrame[] };
}

const FRAME = /^ +at (?:async )?(?:(.+) \()?(\S+):(\d+):(\d+)\)?$/;
const FOREIGN = /^(?:ext|node|npm|jsr):|\/node_modules\/|\/registry\.npmjs\.org\//;

/**
 * Reads the text of a stack with the stacks of its causes, as the log writes it.
 *
 * @returns The errors in Sentry's order: the first cause comes first, the error itself last.
 */
export function readStacks(stack: string): readonly ExceptionValue[] {
  return stack.split("\nCaused by: ").map(readStack).reverse();
}

function readStack(stack: string): ExceptionValue {
  const lines = stack.split("\n");
  const start = lines.findIndex((line) => FRAME.test(line));
  const head = (start === -1 ? lines : lines.slice(0, start)).join("\n");
  const [, type = "Error", value = head] = /^(?:Uncaught )?([\w.$]+): ([^]*)$/.exec(head) ?? [];
  // The frame that the error comes from is the last one for Sentry.
  const frames = lines.flatMap((line) => readFrame(line) ?? []).reverse();
  return { type, value, ...(frames.length > 0 && { stacktrace: { frames } }) };
}

function readFrame(line: string): StackFrame | undefined {
  const [, name = "?", filename, lineno, colno] = FRAME.exec(line) ?? [];
  if (filename === undefined) return undefined;
  return {
    function: name,
    filename,
    lineno: Number(lineno),
    colno: Number(colno),
    in_app: !FOREIGN.test(filename),
  };
}
