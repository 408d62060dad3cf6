/**
 * Explains a denied permission in words that help.
 *
 * Deno says `Requires env access to "TOKEN", run again with the --allow-env flag`. That text names neither
 * the code that wanted the access nor the permission that is enough, and in a binary it advises to compile
 * again. So where an error leaves service code, its text is corrected in the error itself: the caller, the
 * log and the release of dependencies see the same object.
 */

interface Denied {
  readonly permission: string;
  /** The item that was denied, such as a path; undefined if the permission was denied as a whole. */
  readonly item: string | undefined;
}

/** An item ends before the next text `Requires `, so that the search is linear. */
const DENIED =
  /\bRequires (env|ffi|import|net|read|run|sys|workers|write) access(?: to (?:"((?:(?!Requires ).)*?)"|<[^<>]*>))?,? (?:run again|specify) .*$/m;

/** The error of a datagram socket for an address that the thread may not bind. It leaves out port 0. */
const REFUSED_BIND = /\bbind EPERM (\d+\.\d+\.\d+\.\d+|::)(?::(\d+))?(?![\w:.])/;

/** The action that each permission allows, for one item and for all items. */
const ACTIONS: Readonly<Record<string, readonly [one: string, all: string]>> = {
  env: ["read variable", "read the environment"],
  ffi: ["load native library", "load native libraries"],
  import: ["import code from", "import code"],
  net: ["use network address", "use the network"],
  read: ["read", "read files"],
  run: ["run", "run programs"],
  sys: ["ask the system for", "ask about the system"],
  workers: ["start the Worker", "start a Worker"],
  write: ["write", "write files"],
};

/** Number of errors in a chain of causes that are read. */
const DEPTH = 8;

/**
 * Corrects the message of a denied permission, in an error and in its causes; other errors stay as they are.
 *
 * Never throws.
 *
 * @param place The code that was denied the permission, such as `orders.place`.
 */
export function explainDenial(thrown: unknown, place: string): void {
  try {
    explainChain(thrown, place);
  } catch {
    // The error is frozen, or has getters of its own that fail. It stays as it is.
  }
}

function explainChain(thrown: unknown, place: string): void {
  for (let error = thrown, depth = 0; error instanceof Error && depth < DEPTH; depth++) {
    const original = error.message;
    const message = explained(error, place);
    if (message !== undefined) {
      const { stack } = error;
      error.message = message;
      if (stack !== undefined) error.stack = stack.replace(original, () => message);
    }
    error = error.cause;
  }
}

/** The error of Deno's Node layer for a host that the thread may not look up; `hostname` names the host. */
interface LookupDenied extends Error {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly hostname?: unknown;
}

function explained(
  { name, message, code, syscall, hostname }: LookupDenied,
  place: string,
): string | undefined {
  if (code === "EPERM" && syscall === "getaddrinfo" && message.startsWith(syscall)) {
    return describeDenial({ permission: "net", item: String(hostname) }, place);
  }
  const [bind, address, port = "0"] = REFUSED_BIND.exec(message) ?? [];
  if (bind !== undefined) {
    const host = address!.includes(":") ? `[${address}]` : address;
    return message.replace(bind, () => describeDenial({ permission: "net", item: `${host}:${port}` }, place));
  }
  const [text, permission, item] = DENIED.exec(message) ?? [];
  if (text !== undefined) {
    return message.replace(text, () => describeDenial({ permission: permission!, item }, place));
  }
  return name === "NotCapable" && !message.startsWith("Cannot ")
    ? `Cannot do this in ${place}: ${message}`
    : undefined;
}

/** Says that code has read a variable that is not permitted, and how to allow it. */
export function deniedVariable(name: string, place: string): string {
  return describeDenial({ permission: "env", item: name }, place);
}

function describeDenial({ permission, item }: Denied, place: string): string {
  const [one, all] = ACTIONS[permission]!;
  const action = item === undefined ? all : `${one} "${item}"`;
  return `Cannot ${action} in ${place}: not permitted. Allow it with --allow-${permission}${
    grantOf(permission, item)
  }`;
}

/**
 * Gives the flag's value as a shell takes it, with its `=`; empty if the flag must stand without a list.
 *
 * A list cannot contain an item that has a comma in it. It cannot contain a library of the system either:
 * Deno takes a listed library for a file in the current folder.
 */
function grantOf(permission: string, item: string | undefined): string {
  if (item === undefined || item.includes(",")) return "";
  if (permission === "ffi" && !item.includes("/")) return "";
  return /^[\w./:@%+-]+$/.test(item) ? `=${item}` : `='${item.replaceAll("'", `'\\''`)}'`;
}
