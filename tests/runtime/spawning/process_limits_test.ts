/** What the process of a service may use of the machine. */
import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, run } from "../../../extensions/run.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { watchLimits } from "../../../runtime/spawning/process/limit_watch.ts";
import { processCommand } from "../../../runtime/spawning/process/process_command.ts";
import { requireProcesses } from "../../../runtime/spawning/isolation.ts";
import type { greedy } from "../../fixtures/services/greedy.ts";
import { servicePath } from "../../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

const ON_LINUX = { ignore: Deno.build.os !== "linux" };

/** Serves the service in a process that has limits. */
async function serve(limits: Readonly<Record<string, number>>, permissions: "all" | "none" = "all") {
  const broker = new MemoryBroker();
  const mark = crypto.randomUUID();
  const running = await run([servicePath("greedy.ts")], {
    broker: memory({ broker }),
    config: {
      isolation: "process",
      permissions,
      max_workers: 1,
      env: { ENOKI_TEST_MARK: mark },
      ...limits,
    },
  });
  const connection = await connect({ broker: memory({ broker }) });
  return {
    service: connection.client<typeof greedy>("greedy"),
    /** Ids of the processes of the service, and of those that they have started. */
    processes: () => processesWith(mark),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await running.shutdown();
    },
  };
}

function processesWith(mark: string): readonly number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    try {
      return pid > 0 && Deno.readTextFileSync(`/proc/${pid}/environ`).includes(mark);
    } catch {
      // It has ended, or belongs to another user.
      return false;
    }
  });
}

/** Says whether something gets true soon: the system takes a while to end what was killed. */
async function isSoon(isTrue: () => boolean): Promise<boolean> {
  for (const end = performance.now() + 10_000; performance.now() < end && !isTrue();) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return isTrue();
}

type Greedy = Awaited<ReturnType<typeof serve>>["service"];

const EXCEEDED: readonly {
  readonly what: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly exceed: (service: Greedy) => Promise<unknown>;
  readonly reason: RegExp;
}[] = [
  {
    what: "memory",
    limits: { memory_limit: 300 },
    exceed: (service) => service.takeMemory(400),
    reason: /lost: its process used \d+ MiB of memory, and may have 300\. Raise memory_limit, or keep less/,
  },
  {
    what: "cores in a Worker",
    limits: { cpu_limit: 0.15 },
    exceed: (service) => service.spinInWorker(),
    reason: /lost: its process used more than 0\.15 cores over 10 s, .* Raise cpu_limit, or compute less/,
  },
  {
    what: "cores in a process that it starts",
    limits: { cpu_limit: 0.15 },
    exceed: (service) => service.spinInProcess(),
    reason: /lost: its process used more than 0\.15 cores/,
  },
  {
    what: "threads",
    limits: { task_limit: 64 },
    exceed: (service) => service.startWorkers(60),
    reason: /lost: its process had more than 64 threads, .* Raise task_limit, or start fewer/,
  },
  {
    what: "processes",
    limits: { task_limit: 64 },
    exceed: (service) => service.startProcesses(60),
    reason: /lost: its process had more than 64 threads/,
  },
];

for (const { what, limits, exceed, reason } of EXCEEDED) {
  Deno.test({
    name: `a process that uses more ${what} than it may is ended with all that it has started`,
    ...ON_LINUX,
    async fn() {
      await using stage = await serve(limits);
      const former = stage.processes();
      assert.equal(former.length, 1);
      await assert.rejects(exceed(stage.service), reason);
      const next = await stage.service.process();
      assert.ok(!former.includes(next));
      assert.ok(await isSoon(() => stage.processes().length === 1));
    },
  });
}

Deno.test({
  name: "a process that has too many files open gets errors, and lives",
  ...ON_LINUX,
  async fn() {
    await using stage = await serve({ open_files_limit: 100 });
    const former = stage.processes();
    const { count, reason } = await stage.service.openFiles();
    assert.match(reason, /too many open files/i);
    assert.ok(count > 50 && count < 100, `${count} files`);
    assert.deepEqual([await stage.service.process()], former);
  },
});

Deno.test({
  name: "a limit of open files that the system does not allow is refused, with the most that it allows",
  ...ON_LINUX,
  fn: () =>
    assert.rejects(
      serve({ open_files_limit: 2 ** 40 }),
      /Cannot allow 1099511627776 open files: the hard limit is \d+\. Lower open_files_limit/,
    ),
});

Deno.test({
  name: "a process with a limit of open files has no variables of the shell that sets it",
  ...ON_LINUX,
  async fn() {
    await using stage = await serve({ open_files_limit: 100 }, "none");
    const [pid] = stage.processes();
    const names = Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0").map((each) =>
      each.split("=")[0]!
    );
    assert.deepEqual(names.filter((name) => ["PWD", "OLDPWD", "SHLVL"].includes(name)), []);
  },
});

Deno.test("a process without limits is started without a shell, and nothing looks at it", () => {
  assert.equal(processCommand({ permissions: "all" }, "/tmp/socket").path, Deno.execPath());
  assert.equal(watchLimits(Deno.pid, { openFilesLimit: 100 }, () => {}), undefined);
});

Deno.test({
  name: "limits that nobody can look after are refused",
  ...ON_LINUX,
  // Deno lets only a program with all permissions read most of /proc.
  permissions: { read: true, write: true, run: true, env: true, net: true, sys: true },
  fn() {
    assert.throws(() => requireProcesses({ memoryLimit: 512 }), {
      name: "ConfigurationError",
      message:
        /this program may not read \/proc\/PID, which memory_limit, cpu_limit and task_limit need\. Use/,
    });
    requireProcesses({ openFilesLimit: 100 });
  },
});
