import type { SqlDialect } from "../driver/driver.ts";

/** Writes a statement, which has `?` for each parameter, as a database wants it. */
export function statementFor(dialect: SqlDialect, text: string): string {
  if (dialect !== "postgres") return text;
  let number = 0;
  return text.replaceAll("?", () => `$${++number}`);
}
