/**
 * Keeps services from opening Deno's debugger by a signal.
 *
 * From the first node thread on, Deno answers SIGUSR1 with a debugger on 127.0.0.1:9229, for everybody who can
 * connect, and for all threads, main's included; and a process may always signal itself. So the signal is ignored,
 * for which Deno has no call and the C library has. That holds only as long as Deno does not install its handler
 * again, which it does when the first listener of the process comes, be it that of a node thread. So main listens
 * first, as long as restricted threads exist, and then the handler is replaced behind Deno's back.
 *
 * Without FFI nothing can be done here. Windows has no such signal.
 */
import { LIBC } from "./libc.ts";

/** Number of SIGUSR1. */
const SIGNAL = Deno.build.os === "linux" ? 10 : 30;

const IGNORE = 1n;

/** Ignores the signal until what it gives is disposed. */
export function ignoreDebuggerSignal(): Disposable {
  if (LIBC === undefined || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return { [Symbol.dispose]() {} };
  }
  const listener = () => {};
  Deno.addSignalListener("SIGUSR1", listener);
  const libc = Deno.dlopen(LIBC, {
    signal: { parameters: ["i32", "usize"], result: "usize" },
  });
  libc.symbols.signal(SIGNAL, IGNORE);
  libc.close();
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGUSR1", listener) };
}
