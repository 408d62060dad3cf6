/**
 * This file keeps Deno from asking the person at the terminal to grant a service a permission.
 *
 * Without `--no-prompt`, Deno asks the operator about each operation that a restricted thread is not allowed
 * to do, and the thread stands still until there is an answer. A program cannot turn that off once it runs.
 * But Deno asks only if stdin is a terminal at the time of the question. So this file makes stdin the null
 * device. Deno has no call for that, but the C library has one. Ctrl-C still works, because it comes from the
 * terminal and not from stdin.
 *
 * A program that serves restricted services and reads from the terminal must start with `--no-prompt`, or
 * with `DENO_NO_PROMPT=1` in its environment. Then this file leaves stdin alone. Without FFI, this file
 * cannot change stdin; it refuses restricted services if it sees neither the flag nor the variable. A program
 * without all permissions cannot see its flags, so it needs the variable. On Windows, Deno asks.
 */
import { LIBC } from "./libc.ts";
import { isatty } from "node:tty";
import { ConfigurationError } from "../message/errors.ts";
import { commandLine } from "../program/program_config.ts";

const READ_ONLY = 0;
const STDIN = 0;
const STDERR = 2;

/**
 * Makes Deno deny operations without a question from now on. Does nothing if Deno would ask nobody.
 *
 * @throws {ConfigurationError} If Deno may ask somebody, and there is no FFI to prevent the question.
 */
export function preventPermissionPrompts(): void {
  if (LIBC === undefined || !isatty(STDIN) || !isatty(STDERR) || asksNobody()) return;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new ConfigurationError(
      "Cannot restrict what services may do: at this terminal, Deno would ask about each permission that " +
        "they lack. Pass --allow-ffi, set DENO_NO_PROMPT=1 with --allow-env=DENO_NO_PROMPT, or pass " +
        "--no-prompt and redirect stdin",
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
