/** What `sql migrate` can do. */
export const MIGRATE_ACTIONS = ["up", "status", "down"] as const;

/** One of {@linkcode MIGRATE_ACTIONS}. */
export type MigrateAction = typeof MIGRATE_ACTIONS[number];
