import assert from "node:assert/strict";
import { local } from "../../../extensions/local/mod.ts";
import type { Transport, TransportStatus } from "../../../runtime/message/transport.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";

Deno.test("local() lets two processes talk through the host's broker", async () => {
  await using place = await Place.make();
  await using echo = await Echo.start(place.address, "echo");
  const { transport, inbox } = await place.asker();
  await using _closed = transport;
  await ask(transport, "hello");
  const answer = await inbox.next();
  answer.settle("ack");
  assert.deepEqual([answer.text, answer.delivery.properties.appId], ["hello", `${echo.pid}`]);
});

Deno.test("local() takes over from a host that was killed", async () => {
  await using place = await Place.make();
  await using host = await Echo.start(place.address, "other");
  const { transport, inbox, recovered, statuses } = await place.asker();
  await using _closed = transport;
  await host.kill();
  await recovered;
  await transport.publish({ exchange: "", routingKey: "answers", body: "to myself", properties: {} });
  assert.equal(await inbox.text(), "to myself");
  assert.deepEqual(statuses.map(({ state }) => state), ["connected", "lost", "connected"]);
  const lost = statuses[1];
  assert.ok(lost?.state === "lost" && /messages/.test(lost.reason), "the reason tells of lost messages");
});

Deno.test("local() brings the survivors of a killed host together again", async () => {
  await using place = await Place.make();
  await using host = await Echo.start(place.address, "other");
  await using echo = await Echo.start(place.address, "echo");
  const { transport, inbox } = await place.asker();
  await using _closed = transport;
  await ask(transport, "before");
  assert.equal(await inbox.text(), "before");
  await host.kill();
  await ask(transport, "after");
  let answer = await inbox.next();
  // An answer whose confirm died with the host was sent again
  if (answer.text === "before") answer = await inbox.next();
  assert.deepEqual([answer.text, answer.delivery.properties.appId], ["after", `${echo.pid}`]);
});

Deno.test("Transport.publish() of local() waits for a queue whose owner returns later", async () => {
  await using place = await Place.make();
  const host = local({ address: place.address });
  await host.connect();
  await using echo = await Echo.start(place.address, "echo");
  const { transport, inbox, recovered } = await place.asker();
  await using _closed = transport;
  echo.pause();
  await host.close();
  await recovered;
  const asked = ask(transport, "are you back?");
  echo.resume();
  await asked;
  assert.equal(await inbox.text(), "are you back?");
});

Deno.test("local() survives one host after another", async () => {
  await using place = await Place.make();
  const hosts: Echo[] = [];
  for (let count = 0; count < 3; count++) hosts.push(await Echo.start(place.address, `other-${count}`));
  const { transport, inbox } = await place.asker();
  await using _closed = transport;
  for (const host of hosts) {
    await host.kill();
    await transport.publish({ exchange: "", routingKey: "answers", body: `${host.pid}`, properties: {} });
    assert.equal(await inbox.text(), `${host.pid}`);
  }
});

async function ask(transport: Transport, body: string): Promise<void> {
  await transport.publish({ exchange: "", routingKey: "echo", body, properties: { replyTo: "answers" } });
}

/** A directory for a socket. */
class Place implements AsyncDisposable {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  static async make(): Promise<Place> {
    return new Place(await Deno.makeTempDir({ prefix: "enoki-" }));
  }

  get address(): string {
    return `local://${this.#directory}/broker.sock`;
  }

  /** A transport that gets answers, and a promise of its return after a loss. */
  async asker(): Promise<
    { transport: Transport; inbox: Inbox; statuses: TransportStatus[]; recovered: Promise<void> }
  > {
    const statuses: TransportStatus[] = [];
    const { promise: recovered, resolve } = Promise.withResolvers<void>();
    const transport = local({
      address: this.address,
      onStatus(status) {
        statuses.push(status);
        if (status.state === "connected" && statuses.length > 1) resolve();
      },
    });
    await transport.connect();
    await transport.declare({ queues: [{ name: "answers" }] });
    const inbox = new Inbox();
    await transport.consume("answers", inbox.receiver, { prefetch: 10 });
    return { transport, inbox, statuses, recovered };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** A process that echoes. */
class Echo implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  #ended: Promise<unknown> | undefined;

  constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  static async start(address: string, queue: string): Promise<Echo> {
    const fixture = new URL("../../fixtures/local_echo.ts", import.meta.url).pathname;
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", fixture, address, queue],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    assert.equal(new TextDecoder().decode(value), "ready\n");
    return new Echo(process);
  }

  get pid(): number {
    return this.#process.pid;
  }

  pause(): void {
    this.#process.kill("SIGSTOP");
  }

  resume(): void {
    this.#process.kill("SIGCONT");
  }

  kill(): Promise<unknown> {
    if (this.#ended === undefined) {
      this.#process.kill("SIGKILL");
      this.#ended = this.#process.status;
    }
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
