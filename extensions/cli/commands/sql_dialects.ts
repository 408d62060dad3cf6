/** The databases that `sql tables` knows the statements of. */
export const SQL_DIALECTS = ["postgres", "mysql", "sqlite"] as const;

/** One of {@linkcode SQL_DIALECTS}. */
export type SqlDialectName = typeof SQL_DIALECTS[number];
