/** Checks the policies of a client, and makes plain data of them for the manifest. */
import { isRecord, isTexts, type Plain, type PlainRecord } from "../../../runtime/message/plain.ts";
import { type NumberOption, numberOptions } from "../../../runtime/service/limits/number_options.ts";
import { requireKnown } from "../../../runtime/service/options/known_options.ts";
import { RATE } from "../../../runtime/service/limits/rate.ts";
import { SENDING_OPTIONS } from "../sending.ts";
import type { AnyClientPolicies, MethodPolicies } from "./policies.ts";

/** The policies as plain data: what is absent is off, or is that of the client. */
export interface PlainPolicies {
  readonly idempotent?: boolean;
  readonly retry?: PlainRecord | false;
  readonly circuit?: PlainRecord | false;
  readonly bulkhead?: PlainRecord | false;
  readonly rateLimit?: PlainRecord | false;
}

/** The plain policies of a client, of which the main thread reads a copy in the manifest. */
export interface PolicyTable {
  readonly service: string;
  readonly all: PlainPolicies;
  /** What differs for single methods. */
  readonly methods: Readonly<Record<string, PlainPolicies>>;
}

/** The policies whose state is in the main thread. */
export const GUARDS = ["circuit", "bulkhead", "rateLimit"] as const;

const POLICIES = ["retry", ...GUARDS] as const;

/** Longest time in milliseconds: that of a timer. */
const LONGEST = 2 ** 31 - 1;

const NUMBERS: Readonly<Record<(typeof POLICIES)[number], Readonly<Record<string, NumberOption>>>> = {
  retry: {
    max: { least: 0, most: 1_000, whole: true, absent: 2 },
    delay: { least: 0, most: LONGEST, duration: true, absent: 100 },
    factor: { least: 1, most: 1_000, absent: 2 },
    jitter: { least: 0, most: 1, absent: 0.5 },
    attemptTimeout: { least: 1, most: LONGEST, duration: true },
  },
  circuit: {
    failures: { least: 1, most: 1_000_000, whole: true },
    ratio: { least: 0.001, most: 1 },
    minimum: { least: 1, most: 100_000, whole: true },
    open: { least: 1, most: LONGEST, duration: true, absent: 30_000 },
    halfOpen: { least: 1, most: 100_000, whole: true, absent: 1 },
  },
  bulkhead: {
    concurrent: { least: 1, most: 1_000_000, whole: true, absent: "required" },
    waiting: { least: 0, most: 1_000_000, whole: true, absent: 0 },
  },
  rateLimit: RATE,
};

/** The options of a client and of a call that are no policies. */
export const CALL_OPTIONS: readonly string[] = [
  "timeout",
  "headers",
  "signal",
  "errors",
  ...SENDING_OPTIONS,
];

const METHOD_OPTIONS = ["idempotent", ...POLICIES, "fallback"];

/**
 * Checks the options of a client.
 *
 * @returns Undefined if all policies are off.
 * @throws {TypeError} If an option is not known, has a wrong type, or contradicts another.
 * @throws {RangeError} If a number is out of its range.
 */
export function policyTable(
  service: string,
  options: AnyClientPolicies,
): PolicyTable | undefined {
  const action = `Cannot make a client of "${service}"`;
  requireKnown(action, "it", options, [...CALL_OPTIONS, ...METHOD_OPTIONS, "methods"]);
  const { idempotent = false, methods = {}, ...rest } = options;
  if (!isRecord(methods)) throw new TypeError(`${action}: methods must be an object`);
  if (typeof idempotent !== "boolean" && !isTexts(idempotent)) {
    throw new TypeError(`${action}: idempotent must be true, false or a list of methods`);
  }
  const all = plainPolicies(action, "", { ...rest, idempotent: idempotent === true });
  const named = idempotent === true || idempotent === false ? [] : idempotent;
  const table: Record<string, PlainPolicies> = Object.create(null);
  for (const method of named) table[method] = { idempotent: true };
  for (const [method, own] of Object.entries(methods)) {
    if (!isRecord(own)) throw new TypeError(`${action}: methods.${method} must be an object`);
    requireKnown(action, `methods.${method}`, own, [...METHOD_OPTIONS, "timeout"]);
    table[method] = { ...table[method], ...plainPolicies(action, `methods.${method}.`, own) };
  }
  const isOn = [all, ...Object.values(table)].some((each) => POLICIES.some((policy) => each[policy])) ||
    [options, ...Object.values(methods)].some((each) => isRecord(each) && each["fallback"] !== undefined) ||
    Object.values(methods).some((own) => isRecord(own) && own["timeout"] !== undefined);
  return isOn ? { service, all, methods: { ...table } } : undefined;
}

/** Leaves out the policies of a client. */
export function withoutPolicies<Options extends AnyClientPolicies>(
  options: Options,
): Omit<Options, keyof AnyClientPolicies> {
  const {
    idempotent: _1,
    retry: _2,
    circuit: _3,
    bulkhead: _4,
    rateLimit: _5,
    fallback: _6,
    methods: _7,
    ...others
  } = options;
  return others;
}

/** Checks the policies of one method or one call. See {@linkcode policyTable}. */
export function plainPolicies(
  action: string,
  place: string,
  options: MethodPolicies<never, unknown>,
): PlainPolicies {
  const plain: Record<string, Plain> = {};
  const { idempotent } = options;
  if (idempotent !== undefined) {
    if (typeof idempotent !== "boolean") {
      throw new TypeError(`${action}: ${place}idempotent must be true or false`);
    }
    plain["idempotent"] = idempotent;
  }
  for (const policy of POLICIES) {
    const given = options[policy];
    if (given === undefined) continue;
    plain[policy] = given === false ? false : plainPolicy(action, `${place}${policy}`, policy, given);
  }
  return plain;
}

function plainPolicy(
  action: string,
  name: string,
  policy: (typeof POLICIES)[number],
  given: object,
): PlainRecord {
  const names = policy === "retry" || policy === "circuit" ? ["on"] : [];
  const plain: Record<string, Plain> = numberOptions(action, name, given, NUMBERS[policy], names);
  if (names.length > 0) {
    const { on = [] } = given as { readonly on?: unknown };
    if (!isTexts(on)) throw new TypeError(`${action}: ${name}.on must be a list of names of error classes`);
    plain["on"] = on;
  }
  return policy === "circuit" ? circuitPolicy(action, name, plain) : plain;
}

function circuitPolicy(action: string, name: string, plain: PlainRecord): PlainRecord {
  if (plain["ratio"] === undefined) {
    if (plain["minimum"] === undefined) return { failures: 5, ...plain };
    throw new TypeError(`${action}: ${name}.minimum has no effect without ratio`);
  }
  if (plain["failures"] === undefined) return { minimum: 20, ...plain };
  throw new TypeError(`${action}: ${name} has both failures and ratio. Choose one`);
}
