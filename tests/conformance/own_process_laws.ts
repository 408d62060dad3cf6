/**
 * What a service does to its process costs it alone, if the process is its own: the laws of the services of
 * `tests/fixtures/services/attacking.ts`, for every way to start them.
 */
import assert from "node:assert/strict";
import type { Client } from "../../extensions/rpc/client.ts";
import {
  type attacker,
  type guest,
  type neighbour,
  socketsOfProcess,
} from "../fixtures/services/attacking.ts";

/**
 * The configuration of the services: what harms has all permissions, the guest has few, and the neighbour is in the main
 * process.
 */
export const ATTACKING = {
  services: {
    attacker: { isolation: "process", permissions: "all", max_workers: 1 },
    guest: { permissions: { read: ["/etc/hosts"], env: ["TZ"] }, env: { TZ: "UTC" } },
    neighbour: { isolation: "threads" },
  },
};

/** The services, as they are served. Disposing it ends them. */
export interface OwnProcessStage extends AsyncDisposable {
  /** Id of the process with the main thread. */
  readonly mainProcess: number;
  readonly attacker: Client<typeof attacker>;
  readonly guest: Client<typeof guest>;
  readonly neighbour: Client<typeof neighbour>;
  /** The messages of the log until now. */
  lines(): readonly string[];
}

/** @param name What has the services, such as "a program". */
export function ownProcessLaws(name: string, open: () => Promise<OwnProcessStage>): void {
  const law = (text: string, proof: (stage: OwnProcessStage) => Promise<void>) =>
    Deno.test({
      name: `a service with a process of its own in ${name} ${text}`,
      ignore: Deno.build.os !== "linux",
      async fn() {
        await using stage = await open();
        const { neighbour, mainProcess } = stage;
        assert.equal(await neighbour.process(), mainProcess);
        await proof(stage);
        assert.equal(await neighbour.process(), mainProcess);
      },
    });

  law("can end its process, and serves again in another", async ({ attacker, mainProcess }) => {
    const former = await attacker.process();
    assert.notEqual(former, mainProcess);
    await assert.rejects(
      attacker.die(),
      /The thread that ran the call was lost: its process was ended by SIGKILL/,
    );
    assert.notEqual(await attacker.process(), former);
  });

  law("can have native code that fails", async ({ attacker }) => {
    await assert.rejects(
      attacker.abort(),
      /The thread that ran the call was lost: its process was ended by SIG/,
    );
    assert.equal(typeof await attacker.process(), "number");
  });

  law("has no descriptor of a socket of another process", async ({ attacker, mainProcess }) => {
    const here = socketsOfProcess(mainProcess);
    const there = await attacker.sockets();
    assert.ok(here.length > 0 && there.length > 0);
    assert.deepEqual(there.filter((name) => here.includes(name)), []);
  });

  law("cannot cut off the log", async ({ attacker }) => {
    assert.deepEqual(await attacker.truncate(), ["EINVAL", "EINVAL"]);
  });

  law("floods the log only as far as log_limit allows", async ({ attacker, lines }) => {
    await attacker.flood();
    const flood = lines().filter((line) => line.includes("xxx")).length;
    assert.ok(flood > 0 && flood <= 3_000, `${flood} lines`);
    await until(() =>
      lines().some((line) => /Left out [\d,]+ log records of the process of "attacker"/.test(line))
    );
  });

  law("has the permissions that it is given, and no others", async ({ guest, mainProcess }) => {
    assert.notEqual(await guest.process(), mainProcess);
    assert.deepEqual(await guest.reach(mainProcess), {
      "reads where it may": "done",
      "reads elsewhere": "NotCapable",
      "writes": "NotCapable",
      "reads its variable": "UTC",
      "reads another variable": "NotCapable",
      "connects": "NotCapable",
      "runs a program": "NotCapable",
      "loads native code": "NotCapable",
      "asks for a fact of the system": "NotCapable",
      "signals the main thread": "NotCapable",
    });
  });

  law("loses only the thread that spins, which is stopped in the process", async ({ guest }) => {
    const former = await guest.process();
    await assert.rejects(guest.spin(), /it took longer than its timeout of 200 ms/);
    assert.equal(await guest.process(), former);
  });

  Deno.test({
    name: `a service with a process of its own in ${name} leaves no Worker behind that spins`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      const stage = await open();
      const pid = await stage.attacker.spinElsewhere();
      await stage[Symbol.asyncDispose]();
      assert.throws(() => Deno.readTextFileSync(`/proc/${pid}/status`), Deno.errors.NotFound);
    },
  });
}

/** Waits until something is true that a timer of the log brings about. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}
