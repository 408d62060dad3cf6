/**
 * The fields of `deno.json` that describe this package, as code.
 *
 * They are code because Deno keeps compiled code for the next start of a binary only if none of the modules
 * that the entry of the binary imports is JSON. A test checks that this object and `deno.json` agree.
 */
export const OWN_PACKAGE: {
  readonly name: string;
  readonly version: string;
  /** Paths of the modules, by the subpath that follows the package name in an import. */
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
    "./redis": "./extensions/redis/mod.ts",
    "./messagepack": "./extensions/messagepack/mod.ts",
    "./cache": "./extensions/cache/mod.ts",
    "./websocket": "./extensions/websocket/client.ts",
    "./stream": "./extensions/stream/client.ts",
    "./control": "./extensions/control/client.ts",
    "./contracts": "./extensions/contracts/mod.ts",
    "./docs": "./extensions/docs/mod.ts",
    "./sql": "./extensions/sql/mod.ts",
    "./bayeux": "./extensions/bayeux/mod.ts",
    "./decorators": "./extensions/decorators.ts",
    "./testing": "./extensions/testing/mod.ts",
    "./hosting": "./runtime/hosting/mod.ts",
    "./conformance": "./runtime/message/conformance/mod.ts",
  },
};

/**
 * Doors with heavy packages behind them.
 *
 * A binary has such a door only if one of its services uses it, or if it was compiled with it.
 */
export const OPTIONAL_DOORS: readonly string[] = ["./cache", "./sql", "./redis", "./contracts", "./docs"];

/** First word on the command line of a binary that runs as the bundling process. Users do not use it. */
export const BUNDLE_WORD = "__bundle";
