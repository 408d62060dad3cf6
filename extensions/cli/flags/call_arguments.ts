/** A method, and the service that has it. */
export interface CallTarget {
  readonly service: string;
  readonly method: string;
}

/** Positional and keyword arguments of a call, by Python's rules. */
export interface CallArguments {
  readonly positional: readonly unknown[];
  readonly named: Readonly<Record<string, unknown>>;
}

const KEY_AND_VALUE = /^([\p{ID_Start}_$][\p{ID_Continue}$]*)=(.*)$/su;

/** Reads `<service>.<method>`; returns undefined for other texts. The name of a service may contain dots. */
export function parseCallTarget(text: string): CallTarget | undefined {
  const [, service, method] = /^(.+)\.([^.]+)$/s.exec(text) ?? [];
  return service === undefined || method === undefined ? undefined : { service, method };
}

/** Reads the words behind the target: `key=value` is a keyword argument if `key` is an identifier. */
export function parseCallArguments(words: readonly string[]): CallArguments {
  const positional: unknown[] = [];
  const named: [string, unknown][] = [];
  for (const word of words) {
    const [, key, value] = KEY_AND_VALUE.exec(word) ?? [];
    if (key === undefined || value === undefined) positional.push(parseValue(word));
    else named.push([key, parseValue(value)]);
  }
  return { positional, named: Object.fromEntries(named) };
}

/** Parses a text as JSON; returns the text itself if it is not JSON. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
