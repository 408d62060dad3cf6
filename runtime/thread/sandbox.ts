/**
 * Closes the things that services of one process share although they have no permission for them.
 *
 * Deno's permissions protect the world outside the process. Inside, all threads of a process have the same
 * broadcast channels, locks and caches, and see the arguments of the process, which may contain a broker's
 * password. So every thread loses the arguments. A restricted thread has the channels and locks of its module
 * only, and no caches. It may not open a socket or pipe of another thread by the number of its descriptor,
 * nor set V8's flags or open Deno's debugger, which are those of all threads. It may use no vsock, because
 * without its flag Deno ends the whole process there. It may start no Worker, in which all of this would be
 * open. Without permission to run programs, it may not signal its own process. Deno asks for no permission in
 * these cases. The environment of the thread is its own.
 *
 * This holds for the globals and for what the service imports. It is no wall, because all of it stands in the
 * service's own thread.
 */
import process from "node:process";
import v8 from "node:v8";
import { isAudited } from "../channel/audit_marks.ts";
import { markCalls } from "./closing/audited_calls.ts";
import { type ClosedNames, closeImports } from "./closing/closed_builtins.ts";
import { closeDatagrams } from "./closing/closed_datagrams.ts";
import { closeStandardDescriptors } from "./closing/closed_descriptors.ts";
import { closeSharing } from "./closing/closed_sharing.ts";
import { closeSignals } from "./closing/closed_signals.ts";
import { closeWorkers } from "./closing/closed_workers.ts";
import { apply } from "./closing/untouched.ts";
import { addEnvironment, closeEnvironment, type OwnEnvironment } from "./closing/own_environment.ts";
import type { InnerRights } from "../channel/port.ts";
import type { DenoPermissionName } from "../permissions/permissions.ts";

const PERMISSIONS: readonly DenoPermissionName[] = [
  "env",
  "ffi",
  "import",
  "net",
  "read",
  "run",
  "sys",
  "write",
];

const VSOCK_DENIED = "Cannot use a vsock: a service with restricted permissions has none. Use TCP";
const FLAGS_DENIED =
  "Cannot set a flag of V8: it would be that of all services. Set it for the whole process";

const DEBUGGER_DENIED =
  "Cannot open the debugger: it would be that of all services. Use enoki profile, or a Session of node:inspector";

/** The classes behind the sockets of `node:`, each with the binding that contains it. */
const HANDLES = [["tcp_wrap", "TCP"], ["pipe_wrap", "Pipe"], ["udp_wrap", "UDP"]] as const;
type Bindings = Readonly<Record<string, { readonly prototype: { open?(descriptor: number): number } }>>;

/** libuv's number for "operation not permitted". */
const EPERM = -1;

/**
 * Takes from this thread everything that is not its service's business.
 *
 * @param moduleUrl URL of the service's module; threads of the same module share their channels and locks.
 * @param environment The variables of the service, which it gets with all permissions, too.
 */
export function closeSandbox(
  moduleUrl: string,
  { packages, workers }: InnerRights,
  environment: OwnEnvironment,
): void {
  Object.defineProperty(Deno, "args", { value: Object.freeze([]) });
  process.argv.length = Math.min(process.argv.length, 2);
  if (PERMISSIONS.every(isGranted)) {
    if (isAudited()) markCalls();
    return addEnvironment(environment);
  }
  closeEnvironment(environment);
  closeSharing(`${moduleUrl} `);
  if (!workers) closeWorkers();
  process.abort = () => process.exit(134);
  if (!isGranted("run")) closeSignals();
  closeDescriptors();
  closeDatagrams();
  closeVsock();
  closeInternals();
  v8.setFlagsFromString = () => {
    throw new Deno.errors.NotCapable(FLAGS_DENIED);
  };
  closeImports(packages, {
    ...closeStandardDescriptors(),
    ...closeDebugger(),
    "node:process": ["abort", "env", "kill"],
    "node:v8": ["setFlagsFromString"],
  });
}

/**
 * Keeps a service that may inspect its own thread from opening Deno's debugger, which reaches all threads.
 *
 * @returns What is closed.
 */
function closeDebugger(): ClosedNames {
  const inspector = { name: "sys", kind: "inspector" } as unknown as Deno.PermissionDescriptor;
  if (Deno.permissions.querySync(inspector).state !== "granted") return {};
  const names = ["node:inspector", "node:inspector/promises"];
  const { getBuiltinModule } = process as unknown as {
    getBuiltinModule(name: string): { open: () => never };
  };
  for (const name of names) {
    getBuiltinModule(name).open = () => {
      throw new Deno.errors.NotCapable(DEBUGGER_DENIED);
    };
  }
  return Object.fromEntries(names.map((name) => [name, ["open"]]));
}

/** Refuses vsocks. The options are copied, so that a getter cannot answer differently the second time. */
function closeVsock(): void {
  const { connect, listen, serve } = Deno;
  const checked = <Options>(options: Options): Options => {
    if (typeof options !== "object" || options === null) return options;
    const copy = { ...options };
    if (("transport" in copy && copy.transport === "vsock") || "cid" in copy) {
      throw new Deno.errors.NotCapable(VSOCK_DENIED);
    }
    return copy;
  };
  Object.assign(Deno, {
    connect: async (options: Deno.ConnectOptions) => await connect(checked(options)),
    listen: (options: Deno.TcpListenOptions) => listen(checked(options)),
    serve: (...args: readonly unknown[]) => apply(serve, Deno, [checked(args[0]), checked(args[1])]),
  });
}

/**
 * Takes away Deno's own operations, behind which there are no checks.
 *
 * Earlier versions of Deno put a line before the code of each CommonJS module that takes the globals of Node from
 * there. These are what every such module has anyway, so they stay.
 */
function closeInternals(): void {
  const { internal } = Deno as unknown as { readonly internal: symbol };
  const { nodeGlobals } = (Deno as unknown as Readonly<Record<symbol, { readonly nodeGlobals?: object }>>)[
    internal
  ]!;
  const left = Object.freeze(
    nodeGlobals === undefined ? {} : { nodeGlobals: Object.freeze({ ...nodeGlobals }) },
  );
  Object.defineProperty(Deno, internal, { value: left, writable: false, configurable: false });
}

/**
 * Keeps sockets and pipes from opening a descriptor by its number.
 *
 * This includes the service's own descriptors, because they cannot be told from those of other threads.
 */
function closeDescriptors(): void {
  const { binding } = process as unknown as { binding?(name: string): Bindings };
  if (binding === undefined) return;
  for (const [name, handle] of HANDLES) {
    const prototype = binding(name)[handle]?.prototype;
    if (prototype?.open !== undefined) prototype.open = () => EPERM;
  }
}

function isGranted(name: DenoPermissionName): boolean {
  return Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state === "granted";
}
