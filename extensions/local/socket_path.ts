import { BrokerError, ConfigurationError } from "../../runtime/message/errors.ts";

/** The kernel accepts a socket path of at most this many bytes, without the zero byte at its end. */
const LONGEST = Deno.build.os === "linux" ? 107 : 103;

/**
 * Returns the path of the socket that an address means.
 *
 * The address `local:`, or `local`, means the socket of this user, `local:NAME` means another socket of this user, and
 * `local:///path/to.sock` means any socket.
 *
 * @throws {ConfigurationError} If the address has none of these forms, or its path is too long.
 */
export function socketPath(given: string): string {
  const address = given === "local" ? "local:" : given;
  const refuse = (state: string) =>
    new ConfigurationError(`Cannot use broker address "${address}": ${state}`);
  if (!address.startsWith("local:")) throw refuse("it does not start with local:");
  const rest = address.slice("local:".length);
  let path: string;
  if (rest.startsWith("///")) path = rest.slice(2);
  else if (rest === "" || /^[\w-][\w.-]*$/.test(rest)) {
    path = `${userDirectory()}/${rest === "" ? "broker" : `broker-${rest}`}.sock`;
  } else throw refuse("it is neither local:, nor local:NAME, nor local:///absolute/path.sock");
  const { length } = new TextEncoder().encode(path);
  if (length > LONGEST) {
    throw refuse(`its path takes ${length} bytes, and the limit is ${LONGEST}. Choose a shorter path`);
  }
  return path;
}

/**
 * Makes the user's directory of sockets if `path` lies in it. Any other directory must be there.
 *
 * @throws {BrokerError} If another user could put a socket there.
 */
export async function prepareDirectory(path: string): Promise<void> {
  const directory = path.slice(0, path.lastIndexOf("/"));
  if (directory !== userDirectory()) return await requireSafety(directory);
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const { isDirectory, uid, mode } = await Deno.lstat(directory);
  const refuse = (state: string) => new BrokerError(`Cannot use socket directory ${directory}: ${state}`);
  if (!isDirectory) throw refuse("it is not a directory. Remove it");
  if (uid !== Deno.uid()) {
    throw refuse(`it belongs to user ${uid}. Set XDG_RUNTIME_DIR to a directory that you own`);
  }
  if (mode !== null && (mode & 0o077) !== 0) {
    throw refuse(`other users may enter it. Run chmod 700 ${directory}`);
  }
}

async function requireSafety(directory: string): Promise<void> {
  const info = await Deno.stat(directory || "/").catch(() => undefined);
  const danger = info && dangerOf(info);
  if (danger === undefined) return;
  throw new BrokerError(
    `Cannot use socket directory ${directory}: ${danger}. Run chmod go-w ${directory}, or choose a directory ` +
      "that you own",
  );
}

/** Says why other users could replace the socket. Root can in any case, and in `/tmp` nobody else can. */
function dangerOf({ uid, mode }: Deno.FileInfo): string | undefined {
  if (uid === null || mode === null) return undefined;
  if (uid !== Deno.uid() && uid !== 0) return `it belongs to user ${uid}`;
  return (mode & 0o022) !== 0 && (mode & 0o1000) === 0 ? "other users may write to it" : undefined;
}

function userDirectory(): string {
  const parent = Deno.env.get("XDG_RUNTIME_DIR") || Deno.env.get("TMPDIR") || "/tmp";
  return `${parent.replace(/(?<!\/)\/+$/, "")}/enoki-${Deno.uid()}`;
}
