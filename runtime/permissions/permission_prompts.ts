/**
 * Keeps Deno from asking the person at the terminal to grant a service what it may not do.
 *
 * Without `--no-prompt`, an operation that is denied in a restricted thread is put to the operator, and the
 * thread stands still until there is an answer. A program cannot turn that off once it runs; but Deno asks only
 * where stdin is a terminal when the question comes up. So stdin becomes the null device, which Deno has no call
 * for, and the C library has. Ctrl-C is not touched by it: that is the terminal's doing, not stdin's.
 *
 * A program that serves restricted services and reads from the terminal is started with `--no-prompt`, or with
 * `DENO_NO_PROMPT=1` in its environment; then stdin is left alone. Without FFI nothing can be done here, and where
 * neither of the two is seen, restricted services are refused: a program without all permissions cannot see its
 * flags, so it needs the variable. On Windows Deno asks.
 */
import { LIBC } from "./libc.ts";
import { isatty } from "node:tty";
import { ConfigurationError } from "../message/errors.ts";
import { commandLine } from "../program/program_config.ts";

const READ_ONLY = 0;
const STDIN = 0;
const STDERR = 2;

/**
 * From now on what is denied is denied. Does nothing where nobody would be asked.
 *
 * @throws {ConfigurationError} If somebody may be asked, and that cannot be helped without FFI.
 */
export function preventPermissionPrompts(): void {
  if (LIBC === undefined || !isatty(STDIN) || !isatty(STDERR) || asksNobody()) return;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new ConfigurationError(
      "Cannot restrict what services may do: at this terminal Deno would ask for what they may not. Pass " +
        "--allow-ffi, set DENO_NO_PROMPT=1 with --allow-env=DENO_NO_PROMPT, or pass --no-prompt and redirect stdin",
    );
  }
  const libc = Deno.dlopen(LIBC, {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    dup2: { parameters: ["i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const device = libc.symbols.open(new TextEncoder().encode("/dev/null\0"), READ_ONLY);
  libc.symbols.dup2(device, STDIN);
  libc.symbols.close(device);
  libc.close();
}

function asksNobody(): boolean {
  const variable = Deno.permissions.querySync({ name: "env", variable: "DENO_NO_PROMPT" });
  if (variable.state === "granted" && Deno.env.get("DENO_NO_PROMPT")) return true;
  return commandLine()?.includes("--no-prompt") ?? false;
}
