/**
 * Sends new connections to the process that listens last, while one process takes over from another.
 *
 * Linux divides the connections to a shared port among all sockets that listen there. A connection that waits in the
 * queue of a socket is reset when this socket is closed. So a process that leaves has to get no connections for a moment
 * before it closes its sockets. A program in the kernel sees to that: for each connection it gives the number of a
 * socket, in the order in which they began to listen. Here it always gives `processes`. There is no such socket as
 * long as `processes` of them listen, and the kernel then divides as it does without a program. When one more
 * listens, that is the newest one, and it gets all.
 *
 * Deno does not show the sockets, so they are looked for among the open files of the process.
 */
import { LIBC } from "../../../runtime/permissions/libc.ts";
import { getLog } from "../../../runtime/log/observe.ts";

const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const SO_ACCEPTCONN = 30;
const SO_ATTACH_REUSEPORT_CBPF = 51;

/** The instruction of Berkeley's packet filter that ends a program with a constant. */
const BPF_RETURN = 6;

/**
 * Makes all shared ports that this process listens on prefer the newest of more than `processes` sockets. Where the
 * system does not allow that, connections can be lost while a process takes over, and the log says so.
 */
export function preferNewestListener(processes: number): void {
  try {
    const count = attachToListeners(returning(processes));
    getLog().debug(`New connections to ${count} shared ports go to the newest process`);
  } catch (error) {
    getLog().warning("Cannot hand over ports without a loss: a restart may reset connections", { error });
  }
}

/** A program of one instruction, as `struct sock_fprog` of Linux. It points to the instruction. */
function returning(value: number): { readonly program: Uint8Array<ArrayBuffer>; readonly code: unknown } {
  const code = new Uint8Array(8);
  const instruction = new DataView(code.buffer);
  instruction.setUint16(0, BPF_RETURN, true);
  instruction.setUint32(4, value, true);
  const program = new Uint8Array(16);
  const fields = new DataView(program.buffer);
  fields.setUint16(0, 1, true);
  fields.setBigUint64(8, BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(code))), true);
  return { program, code };
}

function attachToListeners({ program }: ReturnType<typeof returning>): number {
  if (LIBC === undefined) throw new Error("there is no C library");
  const { symbols, close } = openLibrary(LIBC);
  const isSet = (file: number, option: number) => {
    const value = new Int32Array(1);
    return symbols.getsockopt(file, SOL_SOCKET, option, value, new Uint32Array([value.byteLength])) === 0 &&
      value[0] !== 0;
  };
  try {
    const files = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name));
    const listeners = files.filter((file) => isSet(file, SO_ACCEPTCONN) && isSet(file, SO_REUSEPORT));
    for (const file of listeners) {
      const result = symbols.setsockopt(
        file,
        SOL_SOCKET,
        SO_ATTACH_REUSEPORT_CBPF,
        program,
        program.byteLength,
      );
      if (result !== 0) throw new Error("the system does not take the program for its ports");
    }
    return listeners.length;
  } finally {
    close();
  }
}

function openLibrary(path: string) {
  const library = Deno.dlopen(path, {
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
    setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  });
  return { symbols: library.symbols, close: () => library.close() };
}
