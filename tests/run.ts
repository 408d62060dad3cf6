/**
 * The test command: finds brokers, then runs the suite against them.
 *
 * A broker is looked for in this order: `AMQP_URI`, localhost:5672, and `rabbitmq-server` on this machine, which is
 * started as a private node for the run. In the same way, the tests over NATS use `NATS_URI`, localhost:4222, or
 * `nats-server` on this machine. Where there is none, the tests that need one are skipped and said so.
 * Arguments go to `deno test`; without any, all of `tests/` runs. Then `deno check` checks the types before: where it has
 * checked this state of the project already, it has nothing to do, unlike `deno test`.
 */
import process from "node:process";
import { brokerUri } from "./fixtures/broker_probe.ts";
import { greetedBy, natsUri } from "./fixtures/nats_probe.ts";
import { PrivateNats } from "./fixtures/private_nats.ts";
import { PrivateRabbitmq } from "./fixtures/private_rabbitmq.ts";

/** Files of tests that run at a time, unless `DENO_JOBS` says how many: most tests wait for servers and other programs. */
const JOBS = String(navigator.hardwareConcurrency + 1);

async function main(args: readonly string[]): Promise<number> {
  await using nats = await greetedBy(natsUri()) === undefined ? await PrivateNats.open() : undefined;
  if (nats !== undefined) report("Testing with a private NATS server");
  return await withRabbitmq(args, nats === undefined ? {} : { NATS_URI: nats.uri });
}

async function withRabbitmq(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const listening = await brokerUri();
  if (listening !== undefined) {
    report(`Testing with the broker at ${new URL(listening).host}`);
    return await test(args, { ...env, AMQP_URI: listening });
  }
  if (await PrivateRabbitmq.isInstalled()) {
    report("Testing with a private RabbitMQ node");
    await using node = await PrivateRabbitmq.open();
    return await test(args, { ...env, AMQP_URI: node.uri });
  }
  report(
    "Testing WITHOUT a broker: all tests of extensions/amqp, of interop with Python and of the commands over " +
      "RabbitMQ are skipped. Install rabbitmq-server, start one on localhost:5672 or set AMQP_URI to run them",
  );
  return await test(args, env);
}

async function test(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const isWhole = args.length === 0;
  if (isWhole) {
    const code = await deno(["check", "--quiet"]);
    if (code !== 0) return code;
  }
  // What tests import from servers of their own is not to end in the project's lock.
  const lock = await Deno.makeTempFile({ prefix: "enoki-tests-", suffix: ".lock" });
  await Deno.copyFile(new URL("../deno.lock", import.meta.url), lock);
  const code = await deno(
    [
      "test",
      "--allow-all",
      "--no-prompt",
      `--lock=${lock}`,
      "--parallel",
      "--sanitize-ops",
      "--sanitize-resources",
      ...(isWhole ? ["--no-check", "tests/"] : args),
    ],
    // On a broker that others use, too, no two runs have the same names.
    { DENO_JOBS: JOBS, ...Deno.env.toObject(), ...env, ENOKI_TEST_RUN: crypto.randomUUID().slice(0, 8) },
  );
  await Deno.remove(lock);
  return code;
}

async function deno(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env,
    stdout: "inherit",
    stderr: "inherit",
  });
  return (await command.output()).code;
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}

Deno.exit(await main(Deno.args));
