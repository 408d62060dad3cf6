/** Completes names at the end of a line: commands, services and their methods, members of values, globals. */
import { CLUSTER_NAMES } from "./cluster.ts";
import type { Scope } from "./input.ts";
import type { KnownServices } from "./services.ts";

/** What could stand in place of the end of a line, and that end. */
export type Completion = readonly [candidates: readonly string[], end: string];

/** Options of {@linkcode complete}. */
export interface CompleteOptions {
  readonly scope: Scope;
  readonly known: KnownServices;
  /** Names of the shell's own commands, such as `.help`. */
  readonly commands: readonly string[];
}

const NAME = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`;

/** A service behind `n.rpc`, by name or by index. */
const METHODS = new RegExp(
  String.raw`(?<![\w$.])(n\.rpc(?:\.(${NAME})|\["([^"]+)"\]))\.((?:${NAME})?)$`,
  "u",
);
const SERVICES = new RegExp(String.raw`(?<![\w$.])n\.rpc(?:\.((?:${NAME})?)|\["([^"]*))$`, "u");
const MEMBERS = new RegExp(String.raw`(?<![\w$.\])])((?:${NAME}\.)*)((?:${NAME})?)$`, "u");
const IS_NAME = new RegExp(`^${NAME}$`, "u");

/** Completes the end of a line. No getter of the user's values runs. */
export async function complete(
  line: string,
  { scope, known, commands }: CompleteOptions,
): Promise<Completion> {
  if (/^\.\w*$/.test(line)) return [commands.filter((name) => name.startsWith(line)), line];
  const [method, path = "", plain, quoted, part = ""] = METHODS.exec(line) ?? [];
  if (method !== undefined) {
    const methods = (await known.list()).get(plain ?? quoted!) ?? [];
    return [
      [...methods].filter((name) => name.startsWith(part)).map((name) => path + memberText(name)),
      method,
    ];
  }
  const [service, name, index] = SERVICES.exec(line) ?? [];
  if (service !== undefined) {
    const services = [...(await known.list()).keys()].filter((each) => each.startsWith(name ?? index ?? ""));
    return [
      services.map((each) => index === undefined ? `n.rpc${memberText(each)}` : `n.rpc${indexText(each)}`),
      service,
    ];
  }
  const [end, chain, beginning] = MEMBERS.exec(line) ?? ["", "", ""];
  if (end === "" || chain === undefined || beginning === undefined) return [[], end];
  const candidates = namesIn(chain, scope).filter((each) => each.startsWith(beginning));
  return [candidates.sort().map((each) => chain + each), end];
}

function memberText(name: string): string {
  return IS_NAME.test(name) ? `.${name}` : indexText(name);
}

function indexText(name: string): string {
  return `[${JSON.stringify(name)}]`;
}

function namesIn(chain: string, scope: Scope): string[] {
  if (chain === "") return [...new Set([...Object.keys(scope), ...memberNames(globalThis)])];
  if (chain === "n.") return [...CLUSTER_NAMES];
  const [first, ...rest] = chain.slice(0, -1).split(".");
  let value = memberOf(Object.hasOwn(scope, first!) ? scope : globalThis, first!);
  for (const name of rest) value = memberOf(value, name);
  return memberNames(value);
}

function memberOf(value: unknown, name: string): unknown {
  for (const holder of holders(value)) {
    const property = Object.getOwnPropertyDescriptor(holder, name);
    if (property !== undefined) return property.value;
  }
  return undefined;
}

function memberNames(value: unknown): string[] {
  return [...holders(value)].flatMap((holder) => Object.getOwnPropertyNames(holder))
    .filter((name) => IS_NAME.test(name) && !name.startsWith("__"));
}

/** Gives a value and its prototypes. */
function* holders(value: unknown): Generator<object> {
  if (value === undefined || value === null) return;
  for (let holder: unknown = Object(value); holder !== null; holder = Object.getPrototypeOf(holder)) {
    yield holder as object;
  }
}
