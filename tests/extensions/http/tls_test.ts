import assert from "node:assert/strict";
import { ODD_SERVICE, serveHttp } from "./web_stage.ts";

const CERTIFICATES = new URL("../../fixtures/tls/", import.meta.url).pathname;
const CERT = `${CERTIFICATES}localhost.pem`;
const KEY = `${CERTIFICATES}localhost.key`;
const AUTHORITY = `${CERTIFICATES}authority.pem`;

async function serveTls(cert: string, key: string) {
  const config = { WEB_SERVER_ADDRESS: "localhost:0", HTTP_TLS: { cert, key } };
  return await serveHttp([ODD_SERVICE], config);
}

Deno.test("HTTP_TLS serves https, in HTTP/1.1 and HTTP/2", async () => {
  await using running = await serveTls(CERT, KEY);
  const { protocol, port } = new URL(running.http);
  assert.equal(protocol, "https:");
  const authority = await Deno.readTextFile(AUTHORITY);
  for (const version of ["http1", "http2"] as const) {
    using client = Deno.createHttpClient({
      caCerts: [authority],
      http1: false,
      http2: false,
      [version]: true,
    });
    const response = await fetch(`https://localhost:${port}/items/7`, { client });
    assert.equal(await response.text(), "7", version);
  }
  using connection = await Deno.connectTls({
    hostname: "localhost",
    port: Number(port),
    caCerts: [authority],
    alpnProtocols: ["h2"],
  });
  assert.equal((await connection.handshake()).alpnProtocol, "h2");
});

Deno.test("HTTP_TLS names the file that cannot be read", async () => {
  await assert.rejects(serveTls(CERT, "/nowhere/key.pem"), {
    name: "ConfigurationError",
    message: /^Cannot read HTTP_TLS\.key \/nowhere\/key\.pem: .*[Nn]o such file/,
  });
});

Deno.test("HTTP_TLS says what is wrong with files that are no PEM", async () => {
  for (const [certificate, its] of [[CERT, import.meta.filename!], [import.meta.filename!, KEY]] as const) {
    await assert.rejects(serveTls(certificate, its), {
      name: "ConfigurationError",
      message:
        /^Cannot use HTTP_TLS with cert \S+ and key \S+: No (?:keys|certificates) found .*belong together$/,
    });
  }
});

Deno.test("HTTP_TLS refuses the key of another certificate", async () => {
  await assert.rejects(serveTls(AUTHORITY, KEY), {
    name: "ConfigurationError",
    message: /^Cannot use HTTP_TLS with .* belong together$/,
  });
});

Deno.test("HTTP_TLS is refused on a Unix socket", async () => {
  const config = { WEB_SERVER_ADDRESS: "unix:/tmp/x.sock", HTTP_TLS: { cert: "a", key: "b" } };
  await assert.rejects(serveHttp([ODD_SERVICE], config), {
    name: "ConfigurationError",
    message: "Cannot serve HTTP_TLS on unix:/tmp/x.sock: a Unix socket cannot use TLS. Remove HTTP_TLS, or " +
      "listen on a port",
  });
});
