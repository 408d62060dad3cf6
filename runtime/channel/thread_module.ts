/** A module and all that it imports as one script. Plain data: every thread is given a copy. */
export interface ModuleBundle {
  /** Of the module that was asked for. */
  readonly url: string;
  /** An ES module, whose only imports are the runtime, built-ins and packages. */
  readonly code: string;
  /** Its source map as JSON; the sources are the URLs of the modules. */
  readonly map: string;
  /** The packages that it imports, such as `npm:zod@4`. */
  readonly packages: readonly string[];
}

/** What a thread loads: the URL of a module, or a bundle. */
export type ThreadModule = string | ModuleBundle;

/** The same, where it may still be prepared. */
export type ComingThreadModule = ThreadModule | Promise<ThreadModule>;
