import assert from "node:assert/strict";
import { local } from "../../../extensions/local/mod.ts";
import { BrokerError, ConfigurationError } from "../../../runtime/message/errors.ts";
import type { Transport } from "../../../runtime/message/transport.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";

Deno.test("local() takes over a socket file that nobody listens on", async () => {
  await using directory = await Directory.make();
  await directory.leaveStaleSocket("broker.sock");
  await using transport = local({ address: `local://${directory.path}/broker.sock` });
  await transport.connect();
});

Deno.test("local() makes one broker for all who come at once to a stale socket", async () => {
  await using directory = await Directory.make();
  await directory.leaveStaleSocket("broker.sock");
  const address = `local://${directory.path}/broker.sock`;
  const transports = Array.from({ length: 12 }, () => local({ address }));
  await Promise.all(transports.map((transport) => transport.connect()));
  const [first] = transports;
  assert.ok(first);
  await first.declare({ queues: [{ name: "shared" }] });
  const inbox = new Inbox();
  await first.consume("shared", inbox.receiver, { prefetch: 20 });
  await Promise.all(
    transports.map((transport, index) =>
      transport.publish({
        exchange: "",
        routingKey: "shared",
        body: `${index}`,
        properties: {},
        mandatory: true,
      })
    ),
  );
  assert.equal(new Set(await inbox.texts(12)).size, 12);
  for (const transport of transports.toReversed()) await transport.close();
});

Deno.test("local() keeps others away from the socket of an absolute path", async () => {
  await using directory = await Directory.make();
  await using transport = local({ address: `local://${directory.path}/broker.sock` });
  await transport.connect();
  const { mode } = await Deno.lstat(`${directory.path}/broker.sock`);
  assert.equal((mode ?? 0) & 0o777, 0o600);
});

Deno.test("local() removes its socket when it closes", async () => {
  await using directory = await Directory.make();
  const transport = local({ address: `local://${directory.path}/broker.sock` });
  await transport.connect();
  await transport.close();
  await assert.rejects(Deno.lstat(`${directory.path}/broker.sock`), Deno.errors.NotFound);
});

Deno.test("local() lives in a directory that only its user may enter", async () => {
  await using directory = await Directory.make();
  using _environment = directory.asRuntimeDirectory();
  await using transport = local();
  await transport.connect();
  const { mode } = await Deno.lstat(`${directory.path}/enoki-${Deno.uid()}`);
  assert.equal((mode ?? 0) & 0o777, 0o700);
  assert.equal(transport.broker, `local://${directory.path}/enoki-${Deno.uid()}/broker.sock`);
});

Deno.test("local() of a name is another broker", async () => {
  await using directory = await Directory.make();
  using _environment = directory.asRuntimeDirectory();
  await using unnamed: Transport = local({ address: "local:" });
  await using named: Transport = local({ address: "local:other" });
  await unnamed.connect();
  await named.connect();
  assert.equal(named.broker, `local://${directory.path}/enoki-${Deno.uid()}/broker-other.sock`);
  await unnamed.declare({ queues: [{ name: "same", durable: true }] });
  await named.declare({ queues: [{ name: "same", durable: false }] });
});

Deno.test("local() refuses a directory that others may enter", async () => {
  await using directory = await Directory.make();
  using _environment = directory.asRuntimeDirectory();
  await Deno.mkdir(`${directory.path}/enoki-${Deno.uid()}`);
  await Deno.chmod(`${directory.path}/enoki-${Deno.uid()}`, 0o755);
  await assert.rejects(
    local().connect(),
    (error) => error instanceof BrokerError && /chmod 700/.test(error.message),
  );
});

Deno.test({
  name: "local() refuses a directory that belongs to somebody else",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using directory = await Directory.make();
    using _environment = directory.asRuntimeDirectory();
    await Deno.mkdir(`${directory.path}/enoki-0`, { mode: 0o700 });
    await Deno.chown(`${directory.path}/enoki-0`, 12345, 12345);
    await assert.rejects(
      local().connect(),
      (error) => error instanceof BrokerError && /user 12345/.test(error.message),
    );
  },
});

Deno.test("local() refuses a link in place of its directory", async () => {
  await using directory = await Directory.make();
  await using elsewhere = await Directory.make();
  using _environment = directory.asRuntimeDirectory();
  await Deno.symlink(elsewhere.path, `${directory.path}/enoki-${Deno.uid()}`);
  await assert.rejects(local().connect(), BrokerError);
});

for (
  const address of ["memory:", "local:a/b", "local://relative", "local:..", `local:///${"long".repeat(40)}`]
) {
  Deno.test(`local() refuses the address ${address.slice(0, 20)}`, () => {
    assert.throws(() => local({ address }), ConfigurationError);
  });
}

Deno.test("local() names the path that cannot be used", async () => {
  await using directory = await Directory.make();
  const transport = local({ address: `local://${directory.path}/missing/broker.sock` });
  await assert.rejects(
    transport.connect(),
    (error) =>
      error instanceof BrokerError && error.message.includes(`${directory.path}/missing/broker.sock`),
  );
});

Deno.test("Transport.connect() of local() rejects with the reason of its signal", async () => {
  await using directory = await Directory.make();
  const transport = local({ address: `local://${directory.path}/broker.sock` });
  const reason = new Error("no longer");
  await assert.rejects(
    transport.connect({ signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
});

Deno.test("local() refuses a host that speaks another version", async () => {
  await using directory = await Directory.make();
  const path = `${directory.path}/broker.sock`;
  using listener = Deno.listen({ transport: "unix", path });
  const answered = (async () => {
    using stream = await listener.accept();
    const json = new TextEncoder().encode('["welcome","enoki-local/0"]');
    await stream.write(new Uint8Array([0, 0, 0, json.length, 0, 0, 0, 0, ...json]));
    await stream.read(new Uint8Array(1024));
  })();
  await assert.rejects(
    local({ address: `local://${path}` }).connect(),
    (error) => error instanceof BrokerError && /enoki-local\/0/.test(error.message),
  );
  await answered;
});

/** A temporary directory. */
class Directory implements AsyncDisposable {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Directory> {
    return new Directory(await Deno.makeTempDir({ prefix: "enoki-" }));
  }

  /** Leaves the socket file of a process that was killed. */
  async leaveStaleSocket(name: string): Promise<void> {
    const path = `${this.path}/${name}`;
    const script = `Deno.listen({ transport: "unix", path: ${
      JSON.stringify(path)
    } }); Deno.kill(Deno.pid, "SIGKILL")`;
    await new Deno.Command(Deno.execPath(), { args: ["eval", script], stdin: "null" }).output();
    assert.ok((await Deno.lstat(path)).isSocket);
  }

  /** Makes this the user's runtime directory until disposal. */
  asRuntimeDirectory(): Disposable {
    const before = Deno.env.get("XDG_RUNTIME_DIR");
    Deno.env.set("XDG_RUNTIME_DIR", this.path);
    return {
      [Symbol.dispose]: () => {
        if (before === undefined) Deno.env.delete("XDG_RUNTIME_DIR");
        else Deno.env.set("XDG_RUNTIME_DIR", before);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
