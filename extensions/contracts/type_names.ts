/** Names of types, values and parameters in generated source. */

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** Words that cannot be the name of a value or of a parameter, and names that the generated source uses itself. */
const RESERVED: ReadonlySet<string> = new Set(
  ("arguments await break case catch class const continue contract debugger default delete dispatcher do else enum eval event " +
    "export extends false finally for function if implements import in instanceof interface let new null package " +
    "private protected public return rpc static super switch this throw true try typeof undefined var void while " +
    "with yield").split(" "),
);

/** Names of types that the generated source uses itself, or that stand for something else everywhere. */
const TAKEN: readonly string[] = ["Promise", "Array", "Object", "Record", "Date", "Error", "EnokiSchemas"];

/** Gives types names that differ from each other. */
export class TypeNames {
  readonly #taken = new Set(TAKEN);

  /** Returns a name with the words of a text, such as `ChargeTotal` for `charge.total`. */
  reserve(text: string): string {
    const words = text.match(/[A-Za-z]+|\d+/g) ?? [];
    const short = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("").replace(
      /^\d/,
      "Type$&",
    );
    const name = short || "Type";
    let free = name;
    for (let number = 2; this.#taken.has(free); number++) free = `${name}V${number}`;
    this.#taken.add(free);
    return free;
  }
}

/** Returns the name of a value for a text, such as `greetingService` for `greeting_service`. */
export function valueName(text: string): string {
  const [first = "service", ...words] = text.match(/[A-Za-z\d$]+/g) ?? [];
  const rest = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
  return parameterName((first[0]!.toLowerCase() + first.slice(1) + rest).replace(/^\d/, "_$&"))!;
}

/** Returns a name as a parameter may have it; undefined if it is no identifier. */
export function parameterName(name: string): string | undefined {
  if (!IDENTIFIER.test(name)) return undefined;
  return RESERVED.has(name) ? `${name}_` : name;
}

/** Returns a name as the key of an object has it. */
export function keyName(name: string): string {
  return IDENTIFIER.test(name) && name !== "__proto__" ? name : JSON.stringify(name);
}
