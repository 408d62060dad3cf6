/** Checks the configuration of a service against a schema, and says in sentences what is wrong with it, and where. */
import { Section } from "../../runtime/config/section.ts";
import { isSecretKey, MASK, maskSecrets } from "../../runtime/log/secrets.ts";
import { ConfigurationError } from "../../runtime/message/errors.ts";
import { isRecord, type Plain, type PlainRecord } from "../../runtime/message/plain.ts";
import type { SchemaIssue, StandardSchema } from "../../runtime/service/standard_schema.ts";

/**
 * Gives what a schema makes of a configuration. Null counts as absent there, as everywhere in a configuration.
 *
 * @throws {ConfigurationError} If the configuration does not fit. The message has each wrong key, with its file and
 * line, and no secret.
 */
export async function checkedConfig<Output>(
  schema: StandardSchema<unknown, Output>,
  config: PlainRecord,
): Promise<Output> {
  const result = await schema["~standard"].validate(withoutNulls(config));
  if (result.issues === undefined) return result.value;
  const secrets = secretsIn(config, false);
  const lines = result.issues.map((issue) => describe(issue, config, secrets));
  throw new ConfigurationError(
    lines.length === 1
      ? `Cannot use its configuration: ${lines[0]}`
      : `Cannot use its configuration:\n${lines.map((line) => `  ${line}`).join("\n")}`,
  );
}

/** Says what is wrong with a value, such as `enoki.yaml:7: PORT: expected number, received string`. */
function describe(
  { message, path = [] }: SchemaIssue,
  config: PlainRecord,
  secrets: readonly string[],
): string {
  const keys = path.map((step) => String(typeof step === "object" ? step.key : step));
  const { at, key, value, isAbsent } = valueAt(config, keys);
  const place = key === undefined ? undefined : at.place(key);
  // Whether a value is a secret, the name of its key does not always say, and its line is shown.
  const reason = masked(message.replace(/^Invalid input: /, ""), [...secrets, ...secretsIn(value, true)]);
  const variable = key === undefined ? undefined : at.unsetVariable(key);
  const where = place === undefined ? "" : `${place.file}:${place.line}: `;
  const name = keys.length === 0 ? "" : `${keys.join(".")}: `;
  if (variable !== undefined) return `${where}${name}${variable}`;
  return `${where}${name}${isAbsent && keys.length > 0 ? "it is not set: " : ""}${reason}`;
}

/** Finds a value, and the last of the mappings on the way to it that is there. */
function valueAt(
  config: PlainRecord,
  keys: readonly string[],
): {
  readonly at: Section;
  readonly key: string | undefined;
  readonly value: Plain;
  readonly isAbsent: boolean;
} {
  let at = new Section(config);
  let key: string | undefined;
  let value: Plain = config;
  for (const step of keys) {
    if (isRecord(value)) {
      if (key !== undefined) at = new Section(value);
      key = step;
    }
    value = (typeof value === "object" && value !== null ? Reflect.get(value, step) : null) ?? null;
  }
  return { at, key, value, isAbsent: value === null };
}

function withoutNulls(config: PlainRecord): PlainRecord {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) =>
      value === null ? [] : [[key, isRecord(value) ? withoutNulls(value) : value] as const]
    ),
  );
}

/** Shortest secret that is masked wherever it stands: a shorter one is a part of many words. */
const SHORTEST = 4;

/** The texts of all values under keys that name secrets. */
function secretsIn(value: Plain, isSecret: boolean): readonly string[] {
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) =>
      secretsIn(inner as Plain, isSecret || isSecretKey(key))
    );
  }
  return isSecret && value !== null ? [String(value)] : [];
}

/** Validators put what they have got into their messages. */
function masked(message: string, secrets: readonly string[]): string {
  const long = secrets.filter((secret) => secret.length >= SHORTEST).sort((a, b) => b.length - a.length);
  const short = secrets.filter((secret) => secret.length > 0 && secret.length < SHORTEST);
  let text = message;
  for (const secret of long) text = text.replaceAll(secret, MASK);
  for (const secret of short) {
    text = text.split(/\b/).map((word) => word === secret ? MASK : word).join("");
  }
  return maskSecrets(text);
}
