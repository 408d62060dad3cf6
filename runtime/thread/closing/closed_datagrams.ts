/**
 * Makes a datagram socket of `node:dgram` fail with an error where Deno refuses the address that it binds.
 *
 * Deno's refusal is thrown where nobody can catch it, in a later turn of the event loop. The socket would know
 * nothing of it, and the callback of `send()` would never be called. A socket that is not bound needs the
 * permission for `0.0.0.0:0`, or `[::]:0`, to send anything.
 */
import process from "node:process";
import { apply } from "./untouched.ts";

type Method = (...args: readonly unknown[]) => number;
type Datagrams = Readonly<Record<"UDP", { readonly prototype: Record<string, Method | undefined> }>>;

/** libuv's number for "operation not permitted". */
const EPERM = -1;

/** Turns what the sockets would throw into the number of an error, which `node:dgram` passes on. */
export function closeDatagrams(): void {
  const { binding } = process as unknown as { binding?(name: string): Datagrams };
  const prototype = binding?.("udp_wrap").UDP?.prototype;
  if (prototype === undefined) return;
  for (const name of ["bind", "bind6"]) {
    const original = prototype[name];
    if (original === undefined) continue;
    prototype[name] = function (this: unknown, ...args) {
      try {
        return apply(original, this, args) as number;
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) return EPERM;
        throw error;
      }
    };
  }
}
