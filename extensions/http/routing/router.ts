/**
 * Finds the entrypoint of a request, with hono's router and the rules of the services.
 *
 * Order: where several rules match, the rule with fewer and narrower variables wins, as in werkzeug. The
 * order of definition does not matter. Hono's router says which rules fit by their patterns. The converters
 * then decide: where a converter refuses a value, the next rule has its turn.
 */
import { RegExpRouter } from "npm:hono@4.13.19/router/reg-exp-router";
import { SmartRouter } from "npm:hono@4.13.19/router/smart-router";
import { TrieRouter } from "npm:hono@4.13.19/router/trie-router";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { normalizePath } from "./percent_encoding.ts";
import { type Rule, type RulePart, segmentPattern } from "./rule.ts";

/** Values of a rule's variables. */
export type Params = Readonly<Record<string, string | number>>;

/** The target that a method and a path lead to, with the values of the variables. */
export interface Match<Target> {
  readonly target: Target;
  readonly params: Params;
  readonly rule: Rule;
}

interface Route<Target> {
  readonly method: string;
  readonly pattern: string;
  /** Equal for rules that match the same paths. */
  readonly identity: string;
  readonly rule: Rule;
  readonly target: Target;
  readonly read: (values: (index: number) => string) => Params | undefined;
}

/** Holds the rules of all services. Rules may be added and removed at any time. */
export class Router<Target> {
  #routes: Route<Target>[] = [];
  #index: SmartRouter<Route<Target>> | undefined;

  /** Methods for which there are rules. */
  get methods(): ReadonlySet<string> {
    return new Set(this.#routes.map(({ method }) => method));
  }

  /**
   * Adds a rule.
   *
   * @param describe Returns the name of a target for messages.
   * @param replaces Tells whether `target` may stand before another target with the same rule. It hides the
   *   other target until one of the two is removed.
   * @throws {ConfigurationError} If another target has the same rule, and `target` may not stand before it.
   */
  add(
    method: string,
    rule: Rule,
    target: Target,
    describe: (target: Target) => string,
    replaces: (other: Target) => boolean = () => false,
  ): void {
    const identity = [pathPattern(rule, exactPattern), ...constraints(rule)].join("\n");
    const other = this.#routes.find((route) =>
      route.method === method && route.identity === identity && !replaces(route.target)
    );
    if (other !== undefined) {
      throw new ConfigurationError(
        `Cannot serve ${method} ${rule.source} twice: ${describe(other.target)} and ${
          describe(target)
        } have it`,
      );
    }
    // Among the routes with the same rule, the newest comes first.
    const pattern = pathPattern(rule, loosePattern);
    this.#routes.unshift({ method, pattern, identity, rule, target, read: reader(rule) });
    this.#index = undefined;
  }

  /** Removes the rules of the targets for which `isRemoved` returns true. */
  remove(isRemoved: (target: Target) => boolean): void {
    this.#routes = this.#routes.filter(({ target }) => !isRemoved(target));
    this.#index = undefined;
  }

  /** Finds the rule that fits a path best, and decodes its variables; undefined if no rule fits. */
  find(method: string, path: string): Match<Target> | undefined {
    this.#index ??= this.#build();
    const [matches, stash] = this.#index.match(method, normalizePath(path));
    for (const [{ target, rule, read }, values] of matches) {
      const params = read((index) => {
        const value = values[`p${index}`]!;
        return typeof value === "number" ? stash![value]! : value;
      });
      if (params !== undefined) return { target, params, rule };
    }
    return undefined;
  }

  #build(): SmartRouter<Route<Target>> {
    const index = new SmartRouter<Route<Target>>({ routers: [new RegExpRouter(), new TrieRouter()] });
    for (const route of this.#routes.toSorted((a, b) => compare(a.rule, b.rule))) {
      index.add(route.method, route.pattern, route);
    }
    return index;
  }
}

/**
 * Characters that two variables which take slashes may be tried on, together with the text between them. The
 * time to find where the first one ends grows with the square of the length.
 */
const LONGEST_OPEN = 2_048;

/** Writes a rule in hono's spelling. */
function pathPattern(rule: Rule, patternOf: (parts: readonly RulePart[]) => string): string {
  const path = units(rule).map((parts, index) =>
    parts.every((part) => typeof part === "string") ? parts.join("") : `:p${index}{${patternOf(parts)}}`
  ).join("/");
  return `/${path}`;
}

const exactPattern = (parts: readonly RulePart[]) => segmentPattern(parts, false);

/** Writes a pattern that takes linear time. It matches what the exact pattern matches, and maybe more. */
function loosePattern(parts: readonly RulePart[]): string {
  return hasSeveralOpen(parts) ? ".+" : exactPattern(parts);
}

/** Whether several variables of a piece may contain slashes. */
function hasSeveralOpen(parts: readonly RulePart[]): boolean {
  return parts.filter((part) => typeof part !== "string" && part.converter.takesSlashes).length > 1;
}

function constraints({ segments }: Rule): readonly string[] {
  return segments.flat().map((part) => typeof part === "string" ? "" : part.converter.constraint ?? "");
}

/**
 * Returns the pieces between slashes, as hono's router gets them. A variable that may contain slashes is one
 * piece with all that follows, since not every router of hono finds the end of such a variable.
 */
function units({ segments, folder }: Rule): readonly (readonly RulePart[])[] {
  const all = folder ? [...segments, []] : segments;
  const open = all.findIndex((parts) =>
    parts.some((part) => typeof part !== "string" && part.converter.takesSlashes)
  );
  if (open === -1) return all;
  return [
    ...all.slice(0, open),
    all.slice(open).flatMap((parts, index) => index === 0 ? parts : ["/", ...parts]),
  ];
}

function reader(rule: Rule): Route<unknown>["read"] {
  const readers = units(rule).flatMap((parts, index) => {
    if (parts.every((part) => typeof part === "string")) return [];
    const variables = parts.filter((part) => typeof part !== "string");
    const regexp = parts.length > 1 ? new RegExp(`^${segmentPattern(parts, true)}$`) : undefined;
    const longest = hasSeveralOpen(parts) ? LONGEST_OPEN : Infinity;
    return [{ index, variables, regexp, longest }];
  });
  return (valueOf) => {
    const params: Record<string, string | number> = {};
    for (const { index, variables, regexp, longest } of readers) {
      const text = valueOf(index);
      if (text.length > longest) return undefined;
      const texts = regexp === undefined ? [text] : regexp.exec(text)?.slice(1) ?? [];
      for (const [place, { name, converter }] of variables.entries()) {
        const decoded = decode(texts[place]);
        const value = decoded === undefined ? undefined : converter.convert(decoded);
        if (value === undefined) return undefined;
        params[name] = value;
      }
    }
    return params;
  };
}

function decode(text: string | undefined): string | undefined {
  if (text === undefined || !text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function compare({ segments: a }: Rule, { segments: b }: Rule): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = weigh(a[index]!) - weigh(b[index]!);
    if (difference !== 0) return difference;
  }
  return b.length - a.length;
}

/** Weighs a segment. Fixed text beside a variable makes a segment narrower, and so does a constraint. */
function weigh(parts: readonly RulePart[]): number {
  let weight = 0;
  for (const part of parts) {
    if (typeof part === "string") continue;
    const { weight: own, constraint } = part.converter;
    weight = Math.max(weight, own - (constraint === undefined ? 0 : 0.25));
  }
  return weight === 0 ? 0 : weight - (parts.length > 1 ? 0.5 : 0);
}
