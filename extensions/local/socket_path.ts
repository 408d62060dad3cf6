import { BrokerError, ConfigurationError } from "../../runtime/message/errors.ts";

/** What the kernel takes for a socket's path, in bytes, its end mark left out. */
const LONGEST = Deno.build.os === "linux" ? 107 : 103;

/**
 * The socket that an address means: `local:` for the one of this user, `local:NAME` for another of this user,
 * `local:///path/to.sock` for any.
 *
 * @throws {ConfigurationError} If the address is none of these, or its path is too long.
 */
export function socketPath(address: string): string {
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
    throw refuse(`its path takes ${length} bytes, and ${LONGEST} is the most. Shorten it`);
  }
  return path;
}

/**
 * Makes the user's directory of sockets if `path` lies in it.
 *
 * @throws {BrokerError} If somebody else could put a socket there.
 */
export async function prepareDirectory(path: string): Promise<void> {
  const directory = path.slice(0, path.lastIndexOf("/"));
  if (directory !== userDirectory()) return;
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const { isDirectory, uid, mode } = await Deno.lstat(directory);
  const refuse = (state: string) => new BrokerError(`Cannot use socket directory ${directory}: ${state}`);
  if (!isDirectory) throw refuse("it is not a directory. Remove it");
  if (uid !== Deno.uid()) {
    throw refuse(`it belongs to user ${uid}. Set XDG_RUNTIME_DIR to a directory of yours`);
  }
  if (mode !== null && (mode & 0o077) !== 0) {
    throw refuse(`others may enter it. Run chmod 700 ${directory}`);
  }
}

function userDirectory(): string {
  const parent = Deno.env.get("XDG_RUNTIME_DIR") || Deno.env.get("TMPDIR") || "/tmp";
  return `${parent.replace(/\/+$/, "")}/enoki-${Deno.uid()}`;
}
