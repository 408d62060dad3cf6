import { MASK } from "../log/secrets.ts";
import type { Parameter } from "../service/declared/parameters.ts";

/**
 * Gives the arguments of a call as a log may show them: by name if names are known, masked as `redact` says.
 *
 * All arguments are masked if `redact` names something that is not a known parameter, because a bundler may
 * have renamed the parameter.
 *
 * @param redact Names of arguments, or dotted paths into them such as `card.number` and `rows.0.secret`.
 */
export function redactedArguments(
  parameters: readonly Parameter[] | undefined,
  args: readonly unknown[],
  redact: readonly string[],
): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [index, value] of args.entries()) {
    const { name = `#${index}`, rest = false } = parameters?.[index] ?? {};
    shown[name] = rest ? args.slice(index) : value;
    if (rest) break;
  }
  for (const path of redact) {
    const [name, ...rest] = path.split(".");
    if (Object.hasOwn(shown, name!)) mask(shown, [name!, ...rest]);
    else if (!parameters?.some((parameter) => parameter.name === name)) {
      for (const key of Object.keys(shown)) shown[key] = MASK;
    }
  }
  return shown;
}

/** Masks the value at a path. Changes copies only, so that the handler's own arguments stay as they are. */
function mask(holder: Record<string, unknown>, [key, ...rest]: readonly string[]): void {
  if (key === undefined || !Object.hasOwn(holder, key)) return;
  const value = holder[key];
  if (rest.length === 0) holder[key] = MASK;
  else if (typeof value === "object" && value !== null) {
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    holder[key] = copy;
    mask(copy, rest);
  }
}
