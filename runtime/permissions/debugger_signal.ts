/**
 * This file keeps services from opening Deno's debugger with a signal.
 *
 * From the first node thread on, Deno answers SIGUSR1 with a debugger on 127.0.0.1:9229. Everybody who can
 * connect may use the debugger, and it reaches all threads, including the main thread. A process may always
 * signal itself. So this file makes the process ignore the signal. Deno has no call for that, but the C
 * library has one.
 *
 * The process ignores the signal only as long as Deno does not install its handler again. Deno installs the
 * handler when the process gets its first listener, even if a node thread adds that listener. So the main
 * thread listens first, as long as restricted threads exist. Then this file replaces the handler, and Deno
 * does not know of it.
 *
 * Without FFI, this file can do nothing. Windows has no such signal.
 */
import { LIBC } from "./libc.ts";

/** Number of SIGUSR1. */
const SIGNAL = Deno.build.os === "linux" ? 10 : 30;

const IGNORE = 1n;

/** Makes the process ignore the signal until the returned object is disposed. */
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
