/** What `compile` has written into a binary. */
export interface Build {
  /** Revision of Enoki's own source, where it was known. */
  readonly revision?: string;
  /** Absent in a binary that takes its services from the command line. */
  readonly application?: Application;
}

/** Services inside a binary. */
export interface Application {
  readonly name: string;
  /** Revision of their source, where it was known. */
  readonly revision?: string;
  /** Module specifiers. */
  readonly modules: readonly string[];
  /** A configuration file's text, for the keys that are set nowhere else. */
  readonly config?: string;
}
