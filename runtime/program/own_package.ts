/**
 * What `deno.json` says of this package, as code.
 *
 * Deno keeps compiled code for the next start of a binary, but only where none of the modules that its entry imports
 * is JSON. A test holds the two together.
 */
export const OWN_PACKAGE: {
  readonly name: string;
  readonly version: string;
  /** Paths of the modules to import, by what stands behind the name. */
  readonly exports: Readonly<Record<string, string>>;
} = {
  name: "@enoki/enoki",
  version: "0.1.0",
  exports: {
    ".": "./mod.ts",
    "./run": "./extensions/run.ts",
    "./memory": "./extensions/memory/mod.ts",
    "./local": "./extensions/local/mod.ts",
    "./amqp": "./extensions/amqp/mod.ts",
    "./messagepack": "./extensions/messagepack/mod.ts",
    "./websocket": "./extensions/websocket/client.ts",
    "./testing": "./runtime/testing.ts",
    "./hosting": "./runtime/hosting/mod.ts",
  },
};

/** The first word on the command line of a binary that is to be the process that bundles; no command of users. */
export const BUNDLE_WORD = "__bundle";
