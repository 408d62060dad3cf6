import { DEFAULT_PAYLOAD_SETTINGS } from "../../../runtime/message/payload/settings.ts";
import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import type { Config } from "../../../runtime/config/file.ts";
import { Section } from "../../../runtime/config/section.ts";
import {
  type RuntimeSettings,
  runtimeSettings,
  serviceSettings,
  settingsOfOthers,
  type ThreadSettings,
} from "../../../runtime/serving/settings.ts";

function read(config: Config, threads?: ThreadSettings): RuntimeSettings {
  return runtimeSettings(new Section(config), threads);
}

Deno.test("runtimeSettings() fills in the defaults", () => {
  deepStrictEqual(read({}), {
    maxWorkers: 10,
    concurrency: 1,
    callTimeout: 30_000,
    permissions: "none",
    limits: {},
    parentCallsTracked: 10,
    payloads: DEFAULT_PAYLOAD_SETTINGS,
    telemetry: { logsCalls: false, recentCalls: 10_000 },
    threadKind: undefined,
    modules: {},
    grace: 30_000,
    processes: undefined,
    services: new Map(),
  });
});

Deno.test("runtimeSettings() takes null for absent", () => {
  deepStrictEqual(read({ max_workers: null, grace: null, services: null }), read({}));
});

Deno.test("runtimeSettings() takes zero workers for the default", () => {
  strictEqual(read({ max_workers: 0 }).maxWorkers, 10);
});

Deno.test("serviceSettings() prefers the service's own settings", () => {
  const settings = read({
    max_workers: 4,
    call_timeout: 1.5,
    permissions: { net: ["example.com"] },
    heap_limit: 256,
    idle_timeout: 10,
    isolation: "process",
    services: { orders: { max_workers: 2, permissions: "all", idle_timeout: 0.5 }, constructor: null },
  });
  deepStrictEqual(serviceSettings(settings, "orders"), {
    maxWorkers: 2,
    concurrency: 1,
    callTimeout: 1_500,
    permissions: "all",
    isolation: "process",
    limits: { heapLimit: 256, idleTimeout: 500 },
  });
  strictEqual(serviceSettings(settings, "toString").maxWorkers, 4);
});

Deno.test("serviceSettings() says when the threads of a service are renewed", () => {
  const settings = read(
    { max_calls: 1_000, max_age: "1h", services: { leaking: { soft_heap_limit: 200, max_age: "1m" } } },
    { maxCalls: 500 },
  );
  deepStrictEqual(serviceSettings(settings, "other").limits, { maxCalls: 500, maxAge: 3_600_000 });
  deepStrictEqual(serviceSettings(settings, "leaking").limits, {
    maxCalls: 500,
    maxAge: 60_000,
    softHeapLimit: 200,
  });
});

Deno.test("runtimeSettings() lets a program win over the configuration, and a service's settings over both", () => {
  const config = {
    max_workers: 4,
    heap_limit: 256,
    permissions: "all",
    services: { own: { max_workers: 2 } },
  };
  const settings = read(config, { maxWorkers: 3, heapLimit: 64, permissions: { env: ["TZ"] } });
  deepStrictEqual(serviceSettings(settings, "own"), {
    maxWorkers: 2,
    concurrency: 1,
    callTimeout: 30_000,
    permissions: { env: ["TZ"] },
    limits: { heapLimit: 64 },
  });
  strictEqual(serviceSettings(settings, "other").maxWorkers, 3);
});

Deno.test("runtimeSettings() refuses threads that make no sense", () => {
  throws(() => read({}, { maxWorkers: 0 }), RangeError);
  throws(() => read({}, { heapLimit: 8 }), RangeError);
  throws(() => read({}, { maxCalls: 0 }), RangeError);
  throws(() => read({}, { permissions: "most" as never }), { name: "ConfigurationError" });
});

const REFUSED: readonly (readonly [Config, string])[] = [
  [{ max_workers: "many" }, '"max_workers": got "many", expected an integer, 1 or more'],
  [{ max_workers: 1.5 }, '"max_workers": got 1.5, expected an integer, 1 or more'],
  [{ concurrency: 0 }, '"concurrency": got 0, expected an integer, 1 or more'],
  [{ heap_limit: 8 }, '"heap_limit": got 8, expected an integer, 16 or more'],
  [
    { grace: "2 secs" },
    '"grace": got "2 secs", expected a number of seconds, 0 or more, or a text such as "500ms", "30s", "5m", ' +
    '"2h", "1d" or "1m30s"',
  ],
  [{ parent_calls_tracked: "x" }, '"parent_calls_tracked": got "x", expected an integer'],
  [{ max_calls: 0 }, '"max_calls": got 0, expected an integer, 1 or more'],
  [
    { soft_heap_limit: 1_024 },
    '"soft_heap_limit": got 1024, expected less than the heap_limit of 1024',
  ],
  [
    { soft_heap_limit: 200, services: { a: { heap_limit: 128 } } },
    '"services.a.heap_limit": got 128, expected more than the soft_heap_limit of 200',
  ],
  [
    { services: { a: { max_workers: -1 } } },
    '"services.a.max_workers": got -1, expected an integer, 1 or more',
  ],
  [
    { services: { a: { permision: "none" } } },
    '"services.a.permision": got "none", expected nothing: the keys here are permissions, isolation, max_workers, idle_timeout, ' +
    "load_timeout, stall_timeout, kill_grace, stop_timeout, max_age, min_workers, heap_limit, max_calls, " +
    "soft_heap_limit, log_limit, refuse_doomed, memory_limit, cpu_limit, open_files_limit, task_limit, concurrency, " +
    "call_timeout, env, config, config_keys, broker",
  ],
];

Deno.test("runtimeSettings() names the key, the value and what is expected", () => {
  for (const [config, problem] of REFUSED) {
    throws(() => read(config), { name: "ConfigurationError", message: `Cannot use config key ${problem}` });
  }
});

Deno.test("runtimeSettings() refuses an unknown permission", () => {
  throws(
    () => read({ permissions: { nett: true } }),
    /config key "permissions": there is no permission "nett"/,
  );
});

Deno.test("settingsOfOthers() names the settings of services that are not served", () => {
  const settings = read({ services: { here: {}, gone: { max_workers: 1 } } });
  deepStrictEqual(settingsOfOthers(settings, new Map([["here", undefined]])), [[
    "gone",
    'config key "services.gone"',
  ]]);
});

Deno.test("serviceSettings() puts a service's own environment variables on top of those of all services", () => {
  const settings = read({
    env: { LEVEL: "all", PORT: 5432, TLS: false, UNSET: null },
    services: { orders: { env: { LEVEL: "own", "PG.x": "" } } },
  });
  deepStrictEqual(serviceSettings(settings, "orders").env, {
    LEVEL: "own",
    PORT: "5432",
    TLS: "false",
    "PG.x": "",
  });
  deepStrictEqual(serviceSettings(settings, "mail").env, { LEVEL: "all", PORT: "5432", TLS: "false" });
  deepStrictEqual(serviceSettings(read({}, { env: { A: "1" } }), "mail").env, { A: "1" });
});

Deno.test("runtimeSettings() refuses what can be no environment variable, and does not say its value", () => {
  for (
    const [env, message] of [
      [{ URL: ["secret"] }, /"services\.a\.env".*the value of "URL" is neither a text/],
      [{ "A=B": "secret" }, /no environment variable can have this name/],
      ["secret", /it is no mapping/],
    ] as const
  ) {
    throws(() => read({ services: { a: { env } } }), (error: Error) => {
      match(error.message, message);
      return !error.message.includes("secret");
    });
  }
});

const PROCESS_LIMITS = { memory_limit: 300, cpu_limit: 0.5, open_files_limit: 100, task_limit: 64 };

Deno.test("runtimeSettings() takes the limits of a process of the service's own", () => {
  const settings = read({ services: { own: PROCESS_LIMITS } });
  deepStrictEqual(serviceSettings(settings, "own").limits, {
    memoryLimit: 300,
    cpuLimit: 0.5,
    openFilesLimit: 100,
    taskLimit: 64,
  });
});

for (const [key, value] of Object.entries(PROCESS_LIMITS)) {
  Deno.test(`runtimeSettings() refuses ${key} where there is no process that could have it`, () => {
    const problem = `"${key}": got ${value}, expected isolation: process beside it`;
    for (const without of [{ isolation: "threads" }, { permissions: "all" }]) {
      throws(() => read({ ...without, [key]: value }), { message: new RegExp(problem) });
    }
    throws(() => read({ isolation: "process", services: { a: { isolation: "threads", [key]: value } } }), {
      message: new RegExp(problem.replace(key, `services.a.${key}`)),
    });
  });
}

Deno.test("runtimeSettings() does not let the permissions of a service take the limits of all services away", () => {
  const limited = { memory_limit: 300 };
  throws(
    () => read({ ...limited, services: { a: { permissions: "all" } } }),
    /"services\.a\.permissions": got "?all"?, expected isolation beside it: process, for the memory_limit of all services, or threads, /,
  );
  for (const isolation of ["threads", "process"]) {
    read({ ...limited, services: { a: { permissions: "all", isolation } } });
  }
  read({ ...limited, isolation: "process", services: { a: { permissions: "all" } } });
});

const WRONG_LIMITS: readonly (readonly [key: string, values: readonly unknown[], expected: string])[] = [
  ["memory_limit", [127, 300.5, "300", true], "an integer of MiB, 128 or more"],
  ["cpu_limit", [0, 0.05, -1, Infinity, "0.5"], "a number of cores, 0.1 or more"],
  ["open_files_limit", [0, 99, 100.5, "many"], "an integer, 100 or more for 10 threads (max_workers)"],
  ["task_limit", [0, 49, 64.5, "many"], "an integer, 50 or more for 10 threads (max_workers)"],
];

for (const [key, values, expected] of WRONG_LIMITS) {
  Deno.test(`runtimeSettings() refuses a ${key} that makes no sense`, () => {
    for (const value of values) {
      throws(() => read({ isolation: "process", [key]: value } as Config), (error: Error) => {
        return error.message.startsWith(`Cannot use config key "${key}": got `) &&
          error.message.endsWith(`expected ${expected}`);
      });
    }
  });
}

Deno.test("runtimeSettings() refuses more threads than the files of a process suffice for", () => {
  const own = { isolation: "process", open_files_limit: 100 };
  throws(
    () => read({ ...own, services: { a: { max_workers: 20 } } }),
    /"services\.a\.max_workers": got 20, expected less, because so many threads need open_files_limit: 160, and it is 100/,
  );
  throws(
    () => read(own, { maxWorkers: 20 }),
    /Cannot make threads: openFilesLimit must be an integer, 160 or more for 20 threads \(max_workers\), got 100/,
  );
});

for (const limits of [{ memoryLimit: 1 }, { cpuLimit: 0 }, { openFilesLimit: 1.5 }, { taskLimit: NaN }]) {
  const [[name] = []] = Object.entries(limits);
  Deno.test(`runtimeSettings() refuses a ${name} of a program that makes no sense`, () => {
    throws(() => read({ isolation: "process" }, limits as ThreadSettings), {
      name: "RangeError",
      message: new RegExp(`^Cannot make threads: ${name} must be a`),
    });
  });
}

Deno.test("runtimeSettings() refuses a limit of a process that a program gives to threads", () => {
  const limits = { memoryLimit: 512 };
  for (
    const [config, kind] of [
      [{ isolation: "threads" }, undefined],
      [{ permissions: "all" }, undefined],
      [{ isolation: "process" }, "node"],
    ] as const
  ) {
    throws(() => read(config, { ...limits, ...(kind && { kind }) }), {
      name: "RangeError",
      message: /^Cannot make threads: memoryLimit needs kind: "process" beside it/,
    });
  }
  read({}, limits);
  read({ permissions: "all" }, { ...limits, permissions: "none" });
  read({ isolation: "threads" }, { ...limits, kind: "process" });
});
