import type { Section } from "./section.ts";
import {
  BUILT_IN_NAMES,
  type BuiltInName,
  DEFAULT_PAYLOAD_SETTINGS,
  type NamedSerializer,
  type PayloadSettings,
} from "../message/payload/settings.ts";
import { given } from "../message/plain.ts";

/** Bytes of a mebibyte. */
const MEBIBYTE = 1_048_576;

/** Serializers of kombu that services do not have, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["pickle", "pickle is Python's alone, and runs code of whoever sends it"],
  ["yaml", "services read no YAML from messages"],
  ["raw", "raw is for a single message, whose publisher names it"],
]);

/** The keys of a serializer that only Python's Nameko uses. */
const PYTHON_KEYS = ["encoder", "decoder"];

/**
 * Reads `serializer`, `ACCEPT`, `SERIALIZERS`, `bigints` and `decompressed_limit`. As in Nameko, `ACCEPT` is what is
 * written unless it says something else, and then it does not have that by itself.
 *
 * @throws {ConfigurationError} If a serializer is unknown, or is Python's alone and would be used.
 */
export function payloadSettings(at: Section): PayloadSettings {
  const own = ownSerializers(at.section("SERIALIZERS"));
  const find = (key: "serializer" | "ACCEPT", name: string): NamedSerializer => {
    const found = own.get(name) ?? builtIn(name);
    if (typeof found === "object") return found;
    const names = [
      ...BUILT_IN_NAMES,
      ...[...own].filter(([, each]) => typeof each === "object").map(([own]) => own),
    ];
    const reason = found ?? REFUSED.get(name);
    return at.refuse(key, `${names.join(", ")}${reason === undefined ? "" : `: ${reason}`}`);
  };
  const serializer = find("serializer", at.text("serializer") ?? "json");
  const limit = at.integer("decompressed_limit", 1);
  return {
    serializer,
    accept: at.texts("ACCEPT")?.map((name) => find("ACCEPT", name)) ?? [serializer],
    bigints: at.flag("bigints") ?? DEFAULT_PAYLOAD_SETTINGS.bigints,
    decompressedLimit: limit === undefined ? DEFAULT_PAYLOAD_SETTINGS.decompressedLimit : limit * MEBIBYTE,
  };
}

/** Lists the serializers under `SERIALIZERS` that only Python's Nameko can use. */
export function pythonSerializers(at: Section): readonly string[] {
  return [...ownSerializers(at.section("SERIALIZERS"))].flatMap(([name, own]) =>
    typeof own === "string" ? [name] : []
  );
}

/** The serializers under `SERIALIZERS`; in place of one that services cannot use, the reason. */
function ownSerializers(at: Section | undefined): ReadonlyMap<string, NamedSerializer | string> {
  return new Map(Object.keys(at?.values ?? {}).map((name) => [name, ownSerializer(at!, name)]));
}

function ownSerializer(all: Section, name: string): NamedSerializer | string {
  const at = all.section(name);
  if (at === undefined || PYTHON_KEYS.some((key) => at.get(key) !== undefined)) {
    return `the encoder and decoder of "${name}" are Python's. Give it a built_in, or give the services a Serializer ` +
      "in their code";
  }
  const found = builtIn(at.text("built_in", /./, `one of ${BUILT_IN_NAMES.join(", ")}`) ?? "");
  if (found === undefined) {
    return all.refuse(
      name,
      `a built_in that is one of ${
        BUILT_IN_NAMES.join(", ")
      }. No module is loaded into the threads of all services: ` +
        "give the services a Serializer in their code",
    );
  }
  const names = given({
    contentType: at.text("content_type"),
    contentEncoding: at.text("content_encoding"),
  });
  at.refuseOthers();
  return { ...found, ...names };
}

function builtIn(name: string): NamedSerializer | undefined {
  return (BUILT_IN_NAMES as readonly string[]).includes(name) ? { builtIn: name as BuiltInName } : undefined;
}
