import assert from "node:assert/strict";
import { machineCheck } from "../../extensions/cli/doctor/machine_check.ts";
import { type Finding, runCheck } from "../../extensions/cli/doctor/finding.ts";
import { portCheck } from "../../extensions/cli/doctor/port_check.ts";
import { Settings } from "../../extensions/settings.ts";
import type { ThreadLimits } from "../../runtime/serving/limits/thread_limits.ts";
import type { ServiceSettings } from "../../runtime/serving/settings.ts";
import { brokerTest } from "../fixtures/broker.ts";
import { freePort } from "../fixtures/free_port.ts";
import { enoki, GREETING, SERVICES, withBroker } from "./command.ts";

/** Examines with a registry of packages whose clock is `skew` seconds ahead. */
async function doctor(argv: readonly string[], skew = 0): Promise<{
  readonly status: number;
  readonly findings: readonly Finding[];
  readonly texts: string;
}> {
  const date = new Date(Date.now() + skew * 1_000).toUTCString();
  await using registry = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(null, { headers: { date } }),
  );
  const env = { NPM_CONFIG_REGISTRY: `http://127.0.0.1:${registry.addr.port}/` };
  const { status, out, err } = await enoki(["doctor", "--json", ...argv], { env });
  assert.notEqual(out, "", err);
  const findings: readonly Finding[] = JSON.parse(out);
  return { status, findings, texts: findings.map(({ state, text }) => `${state}: ${text}`).join("\n") };
}

Deno.test("enoki doctor finds no problem where all is right, and says so with status 0", () =>
  withBroker(async (broker) => {
    const { status, findings, texts } = await doctor(["--broker", broker, "--http", "127.0.0.1:0", GREETING]);
    assert.deepEqual(findings.filter(({ state }) => state === "problem"), []);
    assert.equal(status, 0);
    assert.match(texts, /ok: The user may declare, publish and consume/);
    assert.match(texts, /ok: Retries and delays work/);
    assert.match(texts, /ok: greeting_service loads: it offers rpc, and has no permissions/);
    assert.match(texts, /ok: The clock is right/);
  }));

Deno.test("enoki doctor tells all that is wrong in one go, with status 1", () =>
  withBroker(async (_broker, folder) => {
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    try {
      const file = `${folder}/app.yaml`;
      await Deno.writeTextFile(file, "max_wrkers: 3\nTOKEN: ${NOWHERE_SET}\n");
      const { status, texts } = await doctor([
        "--broker",
        `amqp://127.0.0.1:${freePort()}`,
        "--http",
        `127.0.0.1:${taken.addr.port}`,
        "--config",
        file,
        `${SERVICES}throws_at_top.ts`,
        `${SERVICES}limited.ts`,
      ], 600);
      assert.equal(status, 1);
      assert.match(texts, /problem: Cannot reach broker amqp:\/\/127\.0\.0\.1:\d+: connection refused\. /);
      assert.match(texts, /problem: Cannot listen on 127\.0\.0\.1:\d+ for HTTP: the port is in use\. Stop /);
      assert.match(texts, /problem: .*throws_at_top/);
      assert.match(texts, /warning: Variable "NOWHERE_SET" is not set.* line 2/);
      assert.match(texts, /warning: .*"max_wrkers" in line 1 of .*Did you mean "max_workers"\?/);
      assert.match(texts, /warning: The clock is \d{3} s off /);
    } finally {
      taken.close();
    }
  }));

Deno.test("enoki doctor names the line of a wrong value, and does not guess at what depends on it", () =>
  withBroker(async (_broker, folder) => {
    const file = `${folder}/app.yaml`;
    await Deno.writeTextFile(file, "AMQP_URI: 'memory:'\nmax_workers: none\n");
    const { status, findings, texts } = await doctor(["--config", file]);
    assert.equal(status, 1);
    assert.match(texts, /problem: Cannot use config key "max_workers" in line 2 of .*app\.yaml: got "none"/);
    assert.deepEqual(findings.filter(({ about }) => about === "broker"), []);
  }));

Deno.test("enoki doctor loads the module of a named service with the service's own settings", async () => {
  const { texts } = await doctor([
    "--broker",
    "memory:",
    "--define",
    "services={reads_at_top: {env: {ENOKI_TOKEN: five}}}",
    `${SERVICES}reads_at_top.ts:reads_at_top`,
  ]);
  assert.match(texts, /ok: reads_at_top loads/);
});

brokerTest("enoki doctor tries what a user of RabbitMQ may do, and what queue_type asks for", async (uri) => {
  const { status, texts } = await doctor(["--broker", uri, "--define", "queue_type=quorum"]);
  assert.equal(status, 0, texts);
  assert.match(texts, /ok: Reached amqp:.*, RabbitMQ \d+\.\d+/);
  assert.match(texts, /ok: The broker has quorum queues/);
  assert.match(texts, /ok: Retries and delays work/);
});

brokerTest("enoki doctor tells that RabbitMQ refuses a password, without the password", async (uri) => {
  const wrong = new URL(uri);
  wrong.password = "mistaken";
  const { status, texts } = await doctor(["--broker", wrong.href]);
  assert.equal(status, 1);
  assert.match(texts, /problem: Cannot log in to broker .*Check user and password/);
  assert.doesNotMatch(texts, /mistaken/);
});

Deno.test("a check that does not end is a problem, and what it finds later does not count", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const findings = await runCheck("slow", async (found) => {
    found.ok("begun");
    await promise;
    found.ok("ended");
  }, 5);
  resolve();
  await promise;
  assert.deepEqual(findings.map(({ state, text }) => `${state}: ${text}`), [
    "ok: begun",
    "problem: This check did not end within 0.005 s",
  ]);
});

Deno.test("enoki doctor looks at the stream address that a service has of its own", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const own = { config: { LISTEN: `tcp://127.0.0.1:${taken.addr.port}` } };
    const settings = await Settings.read({ LISTEN: "tcp://127.0.0.1:0", services: { meters: own } });
    const options = { listen: { config: "LISTEN" }, event: "data" };
    const entrypoints = [{ method: "take", kind: "stream", options }];
    const manifest = { name: "meters", entrypoints, dependencies: [] };
    const findings = await runCheck("ports", portCheck(settings, [manifest]));
    assert.deepEqual(findings.map(({ state }) => state), ["problem"]);
  } finally {
    taken.close();
  }
});

Deno.test("enoki doctor tries the processes that services are to have, with their permissions and limits", async () => {
  const limits = { memory_limit: 512, open_files_limit: 100 };
  const services = {
    greeting_service: limits,
    mistaken: { permissions: { sys: ["nothing"] } },
    plain: {},
    permitted: { permissions: "all" },
  };
  const flags = ["--broker", "memory:", "--define", `services=${JSON.stringify(services)}`];
  const findingsOf = async (...argv: readonly string[]) =>
    (await doctor([...flags, ...argv])).findings.filter(({ about }) => about === "isolation")
      .map(({ state, text }) => `${state}: ${text}`);
  const [fine, wrong, others, ...rest] = await findingsOf();
  assert.match(fine!, /^ok: A process for greeting_service started and ended, which took \d+ ms$/);
  assert.match(wrong!, /^problem: Cannot give mistaken a process: its process exited .*'nothing'\. Mend/);
  assert.match(others!, /^ok: A process for plain, all other services /);
  assert.deepEqual(rest, []);
  assert.deepEqual((await findingsOf(GREETING)).map((text) => text.split(":")[0]), ["ok"]);
  assert.deepEqual(await findingsOf("--isolation", "threads"), []);
  assert.match((await findingsOf("--isolation", "process")).at(-1)!, /^ok: A process for permitted /);
});

const MIB = 2 ** 20;

async function machine(
  memory: number,
  maxWorkers: number,
  { processes = 1, isolation = "threads", ...limits }: ThreadLimits & {
    readonly processes?: number;
    readonly isolation?: ServiceSettings["isolation"];
  } = {},
): Promise<readonly string[]> {
  const settings = {
    maxWorkers,
    concurrency: 1,
    callTimeout: 1,
    permissions: "none",
    isolation,
    limits,
  } as const;
  const own = { cores: 2, memory: memory * MIB, isContainer: true, openFiles: 256 };
  return (await runCheck("machine", machineCheck([settings], processes, own))).map(({ state, text }) =>
    `${state}: ${text}`
  );
}

Deno.test("threads that need more memory than there is are a problem, a heap that may a warning", async () => {
  assert.match(
    (await machine(128, 20)).join("\n"),
    /problem: 128 MiB of memory in this container: 20 threads .* 260 MiB/,
  );
  assert.match((await machine(512, 10)).join("\n"), /warning: 512 MiB .*Lower heap_limit below 226/);
  assert.match(
    (await machine(512, 10, { heapLimit: 200 })).join("\n"),
    /ok: 512 MiB .* up to 200 MiB of heap/,
  );
  assert.match((await machine(512, 10)).join("\n"), /warning: 256 open files .* ulimit -n/);
});

Deno.test("several processes need the memory of one several times, and that of their supervisor", async () => {
  assert.match(
    (await machine(512, 20, { processes: 2 })).join("\n"),
    /problem: 512 MiB .*: 20 threads \(max_workers\) in each of 2 processes may take 580 MiB .* or processes$/m,
  );
});

Deno.test("a service with a process of its own needs the memory of that process", async () => {
  assert.match((await machine(512, 10, { isolation: "process" })).join("\n"), /: 10 threads .* 195 MiB/);
});

Deno.test("a service whose threads are renewed may have one thread more", async () => {
  assert.match((await machine(512, 20, { maxAge: 60_000 })).join("\n"), /: 21 threads /);
});
