import { decodeExactJson, hasLongInteger } from "../../../runtime/message/payload/exact_json.ts";

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

/** Says which arguments look like JSON and are none, so that they are sent as text. */
export function remarksOnJson(words: readonly string[]): readonly string[] {
  return words.flatMap((word, index) => {
    const [, , text = word] = KEY_AND_VALUE.exec(word) ?? [];
    const fault = LIKE_JSON.test(text) ? faultOf(text) : undefined;
    return fault === undefined
      ? []
      : [`Argument ${index + 1} looks like JSON but is not: ${fault}. It is sent as text`];
  });
}

/** A text that begins with a bracket or a quote. */
const LIKE_JSON = /^\s*[[{"]/;

function faultOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    // V8 tells some faults with their position, and others with a part of the text.
    const { message } = error as Error;
    const reason = message.replace(/(?:, .*is not valid JSON| of JSON input| in JSON| at position).*$/s, "");
    const place = /position (\d+)/.exec(message)?.[1];
    const at = place ?? (reason === "Unexpected end" ? text.length : undefined);
    return `${reason.charAt(0).toLowerCase()}${reason.slice(1)}${at === undefined ? "" : ` at ${at}`}`;
  }
}

/** Parses a text as JSON, with integers beyond 2⁵³ as bigints; returns the text itself if it is not JSON. */
export function parseValue(text: string): unknown {
  try {
    return hasLongInteger(text) ? decodeExactJson(text, true) : JSON.parse(text);
  } catch {
    return text;
  }
}
