import assert from "node:assert/strict";
import { brokerTest } from "../fixtures/broker.ts";
import { INTERRUPTIBLE_LOOPS_FLAG } from "../../runtime/permissions/interruptible_loops.ts";
import { YOUNG_HEAP_FLAG } from "../../runtime/program/young_heap.ts";
import { GREETING, SERVICES, withBroker } from "./command.ts";

const CLI = new URL("../../cli.ts", import.meta.url).pathname;

function spawn(...argv: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", CLI, ...argv],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function finish(...argv: readonly string[]) {
  await using child = spawn(...argv);
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { status: code, out: text.decode(stdout), err: text.decode(stderr) };
}

if (Deno.build.os === "linux") {
  Deno.test("a serving process has the flags that bound its loops and its young heap", async () => {
    await using service = new Service("--broker", "memory:", GREETING);
    await service.says("Ready on");
    const words = (await Deno.readTextFile(`/proc/${service.pid}/cmdline`)).split("\0");
    service.kill("SIGTERM");
    await service.end();
    assert.ok(words.includes(`${INTERRUPTIBLE_LOOPS_FLAG},${YOUNG_HEAP_FLAG}`), words.join(" "));
  });
}

/** A service process, its messages read as they come. */
class Service implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #messages: ReadableStreamDefaultReader<string>;
  #err = "";

  constructor(...argv: readonly string[]) {
    this.#child = spawn("run", ...argv);
    this.#messages = this.#child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async says(text: string): Promise<void> {
    while (!this.#err.includes(text)) {
      const { value, done } = await this.#messages.read();
      if (done) throw new Error(`The process ended and never said "${text}": ${this.#err}`);
      this.#err += value;
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async end(): Promise<Deno.CommandStatus> {
    while (!(await this.#messages.read()).done);
    await this.#child.stdout.cancel();
    return await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

async function serveAndCall(broker: string, stop: Deno.Signal): Promise<void> {
  await using service = new Service("--broker", broker, GREETING);
  await service.says("Ready on");
  assert.deepEqual(await finish("call", "--broker", broker, "greeting_service.hello", "Ada"), {
    status: 0,
    out: '"Hello, Ada!"\n',
    err: "",
  });
  service.kill(stop);
  await service.says("Stopped");
  const { code, signal } = await service.end();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
}

Deno.test("cli.ts serves a call over a local broker, and SIGTERM ends it with 0", () =>
  withBroker((broker) => serveAndCall(broker, "SIGTERM")));

brokerTest(
  "cli.ts serves a call over RabbitMQ, and SIGINT ends it with 0",
  (uri) => serveAndCall(uri, "SIGINT"),
);

Deno.test("cli.ts says which call was lost with its thread, and who had called", () =>
  withBroker(async (broker) => {
    await using service = new Service("--broker", broker, `${SERVICES}misbehaving.ts`);
    await service.says("Ready on");
    await finish("call", "--broker", broker, "misbehaving.exit");
    const said = "The thread that ran the call was lost: the service called Deno.exit(9) trace=";
    await service.says(`rpc misbehaving.exit failed: ${said}`);
    await service.says(" caller=standalone_rpc_proxy.call.");
    service.kill("SIGTERM");
    await service.end();
  }));

Deno.test("cli.ts waits for a call that runs, and aborts it at a second SIGTERM", () =>
  withBroker(async (broker) => {
    await using service = new Service("--broker", broker, `${SERVICES}misbehaving.ts`);
    await service.says("Ready on");
    // A caller that gave up proves that the call has been taken.
    const call = await finish("call", "--broker", broker, "--timeout", "1", "misbehaving.wait");
    assert.equal(call.status, 3);
    service.kill("SIGTERM");
    await service.says("Stopping misbehaving: waiting for 1 call that still runs: misbehaving.wait (");
    // One that follows within a second is taken for the same request.
    const again = setInterval(() => service.kill("SIGTERM"), 100);
    await service.says("Aborting");
    clearInterval(again);
    assert.equal((await service.end()).code, 143);
  }));

Deno.test("cli.ts ends at a second SIGINT even where a handler never returns", () =>
  withBroker(async (broker) => {
    await using service = new Service("--broker", broker, `${SERVICES}misbehaving.ts`);
    await service.says("Ready on");
    const call = finish("call", "--broker", broker, "--timeout", "1", "misbehaving.loop");
    assert.equal((await call).status, 3);
    service.kill("SIGINT");
    await service.says("waiting for 1 call that still runs");
    // One that follows at once is taken for the same Ctrl-C.
    const again = setInterval(() => service.kill("SIGINT"), 100);
    await service.says("Aborting");
    clearInterval(again);
    assert.equal((await service.end()).code, 130);
  }));

brokerTest("cli.ts ends with 3 at once where the broker refuses the password", async (uri) => {
  const { host } = new URL(uri);
  const { status, out, err } = await finish("run", "--broker", `amqp://guest:wrong@${host}`, GREETING);
  assert.equal(status, 3);
  assert.equal(out, "");
  assert.match(err, /\nCannot log in to broker .*: user "guest" was refused\. .*\n$/);
  assert.doesNotMatch(err, /wrong/);
});

brokerTest("cli.ts ends with 3 at once where there is no such vhost", async (uri) => {
  const { status, err } = await finish("run", "--broker", `${uri.replace(/\/$/, "")}/nowhere`, GREETING);
  assert.equal(status, 3);
  assert.match(err, /\nCannot open vhost "nowhere" at broker /);
});

Deno.test("cli.ts exits with the status of its command", async () => {
  assert.equal((await finish("rnu")).status, 2);
});

const SCRIPT = new Deno.Command("sh", { args: ["-c", "script --version | grep -q util-linux"] }).outputSync();

Deno.test({
  name: "cli.ts never asks the person at a terminal for a service's permissions",
  ignore: !SCRIPT.success,
  fn: async () => {
    const command = `${Deno.execPath()} run -A ${CLI} describe ${GREETING}`;
    const { stdout } = await new Deno.Command("script", {
      args: ["-qec", command, "/dev/null"],
      stdin: "null",
      env: { NO_COLOR: "1", DENO_NO_PROMPT: "" },
      // A question that nobody answers would stand for ever.
      signal: AbortSignal.timeout(20_000),
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "greeting_service\r\n  rpc  hello\r\n");
  },
});

Deno.test({
  name: "enoki run starts itself over with flags of V8 that it needs, and keeps the others",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--v8-flags=--max-lazy", CLI, "run", "--broker", "memory:", GREETING],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let err = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      err += text;
      if (err.includes("Ready on")) break;
    }
    assert.match(err, /Ready on/);
    const words = (await Deno.readTextFile(`/proc/${child.pid}/cmdline`)).split("\0").slice(1, -1);
    assert.deepEqual(words.slice(0, words.indexOf(CLI)), [
      ...["run", "-A", "--unstable-worker-options", "--unstable-no-legacy-abort"],
      "--v8-flags=--no-turboshaft-loop-unrolling,--max-semi-space-size=16,--max-lazy",
    ]);
  },
});

Deno.test("cli.ts locks the packages of a service in its project, and changes no other lock file", async () => {
  const project = await Deno.makeTempDir({ prefix: "enoki-project-" });
  const ownLock = new URL("../../deno.lock", import.meta.url);
  try {
    const before = await Deno.readTextFile(ownLock);
    const imports = {
      "@enoki/enoki": new URL("../../mod.ts", import.meta.url).href,
      spaces: "npm:left-pad@^1.2.0",
    };
    await Deno.writeTextFile(`${project}/deno.json`, JSON.stringify({ imports }));
    await Deno.writeTextFile(
      `${project}/padder.ts`,
      `import pad from "spaces";
       import { rpc, service } from "@enoki/enoki";
       export default service("padder", { entrypoints: { pad: rpc() }, handlers: { pad: () => pad("a", 3) } });`,
    );
    await using service = new Service("--broker", "memory:", `${project}/padder.ts`);
    await service.says("Ready on");
    service.kill("SIGTERM");
    await service.end();
    assert.match(await Deno.readTextFile(`${project}/deno.lock`), /"npm:left-pad@\^1\.2\.0"/);
    assert.equal(await Deno.readTextFile(ownLock), before);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});
