/** The first word on the command line of a binary that is to be the process that bundles; no command of users. */
export const BUNDLE_WORD = "__bundle";
