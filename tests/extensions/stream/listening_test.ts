import { equal, rejects } from "node:assert/strict";
import { connectStream } from "../../../extensions/stream/client.ts";
import { Peer, serveStreams } from "./stream_stage.ts";

const TLS = new URL("../../fixtures/tls/", import.meta.url).pathname;

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a stream listens on a Unix socket, with the permissions of the setting, and removes it", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/talk.sock`;
    // A killed process leaves its socket behind.
    const left = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `Deno.listen({ transport: "unix", path: ${JSON.stringify(path)} }); Deno.kill(Deno.pid, "SIGKILL")`,
      ],
    }).output();
    equal(left.success, false);
    {
      await using served = await serveStreams({ LINES: `unix:${path}`, STREAM_SOCKET_MODE: "600" });
      equal((await Deno.stat(path)).mode! & 0o777, 0o600);
      using peer = await Peer.greeted(served.LINES);
      equal(await peer.ask("hello"), "hello");
      const [, address, host] = JSON.parse((await peer.ask("who"))!);
      equal(`${address} ${host}`, `unix: unix:${path}`);
      await rejects(serveStreams({ LINES: `unix:${path}` }), /another process listens there. Stop it/);
      equal(await peer.ask("still here"), "still here");
    }
    await rejects(Deno.stat(path), Deno.errors.NotFound);
    await Deno.writeTextFile(path, "a file");
    await rejects(serveStreams({ LINES: `unix:${path}` }), /the file there is not a socket. Remove it/);
  });
});

Deno.test("a stream with TLS talks to those who trust it, and to nobody without TLS", async () => {
  const tls = { cert: `${TLS}localhost.pem`, key: `${TLS}localhost.key` };
  await using served = await serveStreams({ LINES: "tls://localhost:0", STREAM_TLS: tls });
  const address = served.streams.find((each) => each.startsWith("tls:"))!.replace("127.0.0.1", "localhost");
  using plain = await Peer.connect(address.replace("tls:", "tcp:"));
  await plain.send("hello\n");
  const caCerts = [await Deno.readTextFile(`${TLS}authority.pem`)];
  const said: string[] = [];
  const talker = await connectStream(address, {
    async received(connection, line) {
      said.push(line);
      if (said.length === 1) await connection.write("bye");
    },
  }, { framing: "lines", caCerts });
  equal((await talker.ended).code, "ended");
  equal(said.join(), "welcome,bye");
  await rejects(connectStream(address), { name: "ConnectionFailedError", code: "CONNECTION_FAILED" });
  await rejects(
    serveStreams({ LINES: "tls://localhost:0", STREAM_TLS: { cert: tls.key, key: tls.cert } }),
    /Cannot use STREAM_TLS with cert/,
  );
  await rejects(
    serveStreams({ LINES: "tls://localhost:0", STREAM_TLS: { cert: "/nowhere.pem", key: tls.key } }),
    /Cannot read STREAM_TLS.cert \/nowhere.pem/,
  );
});

/** Makes a certificate with the authority of this folder. Returns undefined where there is no openssl. */
async function clientCertificate(folder: string): Promise<boolean> {
  const openssl = async (...args: string[]) =>
    (await new Deno.Command("openssl", { args, cwd: folder, stdout: "null", stderr: "null" }).output())
      .success;
  const authority = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  try {
    return await openssl(
      "req",
      ...authority,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-subj",
      "/CN=authority",
    ) &&
      await openssl(
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        "client.key",
        "-out",
        "client.csr",
        "-subj",
        "/CN=client",
      ) &&
      await writeFile(`${folder}/ext`, "subjectAltName=DNS:client\nbasicConstraints=CA:FALSE") &&
      await openssl(
        ..."x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out client.pem -days 2 -extfile ext"
          .split(" "),
      );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function writeFile(path: string, text: string): Promise<true> {
  await Deno.writeTextFile(path, text);
  return true;
}

Deno.test("a stream with an authority for clients talks only to those whose certificate it has signed", async (test) => {
  await inFolder(async (folder) => {
    const isMade = await clientCertificate(folder);
    await test.step({
      name: "with a certificate, and without",
      ignore: !isMade,
      async fn() {
        const tls = {
          cert: `${TLS}localhost.pem`,
          key: `${TLS}localhost.key`,
          client_ca: `${folder}/ca.pem`,
        };
        await using served = await serveStreams({ LINES: "tls://127.0.0.1:0", STREAM_TLS: tls });
        const port = Number(served.streams.find((each) => each.startsWith("tls:"))!.split(":").at(-1));
        const caCerts = [await Deno.readTextFile(`${TLS}authority.pem`)];
        const options = { hostname: "localhost", port, caCerts };
        using known = new Peer(
          await Deno.connectTls({
            ...options,
            cert: await Deno.readTextFile(`${folder}/client.pem`),
            key: await Deno.readTextFile(`${folder}/client.key`),
          }),
        );
        equal(await known.line(), "welcome");
        equal(await known.ask("hello"), "hello");
        await known.send("many 20000\n");
        for (let at = 0; at < 20_000; at++) equal(await known.line(), `${at}`);
        equal(await known.ask("bye"), "bye");
        equal(await known.line(), undefined);
        const unknown = await Deno.connectTls(options);
        using peer = new Peer(unknown);
        await rejects(peer.line());
      },
    });
  });
});

Deno.test("a service talks over streams without the permission for the network", async () => {
  await using served = await serveStreams({}, { threads: { permissions: "none", kind: "warden" } });
  using peer = await Peer.greeted(served.LINES);
  equal(await peer.ask("hello"), "hello");
});
