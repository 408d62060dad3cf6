/**
 * The Standard Schema interface, version 1, which zod, valibot, arktype and others implement.
 *
 * The library needs only the shape of the interface, so this file states it. The specification
 * (standardschema.dev) invites its users to do so.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What each library of schemas has, so that others can use its schemas. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The result of a validation: a value, or the issues that the schema found in it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where it is wrong: the keys from the outside to the inside. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type that a schema takes. */
export type SchemaInput<Schema> = Schema extends StandardSchema<infer Input, infer _Output> ? Input : never;

/** The type that a schema gives. */
export type SchemaOutput<Schema> = Schema extends StandardSchema<infer _Input, infer Output> ? Output : never;

/** Returns issues as plain data. Each has a dotted path and a message. */
export function describeIssues(
  issues: readonly SchemaIssue[],
): readonly { readonly path: string; readonly message: string }[] {
  return issues.map(({ message, path = [] }) => ({
    path: path.map((step) => String(typeof step === "object" ? step.key : step)).join("."),
    message,
  }));
}

/** Returns issues as one text, for messages. */
export function issuesText(issues: readonly SchemaIssue[]): string {
  return describeIssues(issues)
    .map(({ path, message }) => path === "" ? message : `${path}: ${message}`)
    .join("; ");
}
