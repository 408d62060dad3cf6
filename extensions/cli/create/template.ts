/** What a template gives a new project. */
export interface Template {
  /** What the project does, as a sentence in lines of 80 characters at most. */
  readonly summary: string;
  /** Modules to serve. */
  readonly modules: readonly string[];
  /** Texts of the files that differ between templates, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Lines of the configuration. */
  readonly config: readonly string[];
  /** A command of Enoki to try, without the word `enoki`, or one of the system, and what it prints. */
  readonly attempt: Attempt;
}

/** A command that shows that a new project works. */
export interface Attempt {
  /** Program that the user types; undefined for Enoki's own command line. */
  readonly program?: string;
  readonly words: string;
  readonly prints: string;
}
