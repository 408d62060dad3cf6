/**
 * What a service may not do, in words that help.
 *
 * Deno says `Requires env access to "TOKEN", run again with the --allow-env flag`, which names neither who wanted
 * it nor what is enough, and in a binary advises to compile again. So where an error leaves service code, its text
 * is put right in place: the caller, the log and the release of dependencies see the same object.
 */

interface Denied {
  readonly permission: string;
  /** What of it, such as a path; undefined for all of it. */
  readonly item: string | undefined;
}

const DENIED =
  /\bRequires (env|ffi|import|net|read|run|sys|write) access(?: to (?:"(.*?)"|<[^>]*>))?,? (?:run again|specify) .*$/m;

/** What could not be done, for one item and for all. */
const ACTIONS: Readonly<Record<string, readonly [one: string, all: string]>> = {
  env: ["read variable", "read the environment"],
  ffi: ["load native library", "load native libraries"],
  import: ["import code from", "import code"],
  net: ["use network address", "use the network"],
  read: ["read", "read files"],
  run: ["run", "run programs"],
  sys: ["ask the system for", "ask about the system"],
  write: ["write", "write files"],
};

/** How far a chain of causes is followed. */
const DEPTH = 8;

/**
 * Puts the message of a denied permission right, in an error and in what caused it; other errors stay. Never throws.
 *
 * @param place Who was denied, such as `orders.place`.
 */
export function explainDenial(thrown: unknown, place: string): void {
  try {
    explainChain(thrown, place);
  } catch {
    // Frozen, or with getters of its own that fail: it stays as it is.
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

/** As Node's layer reports that a host may not be looked up; the name of what it concerns is a property. */
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
  const [text, permission, item] = DENIED.exec(message) ?? [];
  if (text !== undefined) {
    return message.replace(text, () => describeDenial({ permission: permission!, item }, place));
  }
  return name === "NotCapable" && !message.startsWith("Cannot ")
    ? `Cannot do this in ${place}: ${message}`
    : undefined;
}

function describeDenial({ permission, item }: Denied, place: string): string {
  const [one, all] = ACTIONS[permission]!;
  const action = item === undefined ? all : `${one} "${item}"`;
  return `Cannot ${action} in ${place}: not permitted. Allow it with --allow-${permission}${
    grantOf(permission, item)
  }`;
}

/**
 * The flag's value as a shell takes it. An item with a comma in it cannot be listed, nor can a library of the
 * system: Deno takes a listed one for a file in the current folder.
 */
function grantOf(permission: string, item: string | undefined): string {
  if (item === undefined || item.includes(",")) return "";
  if (permission === "ffi" && !item.includes("/")) return "";
  return /^[\w./:@%+-]+$/.test(item) ? `=${item}` : `='${item.replaceAll("'", `'\\''`)}'`;
}
