import { equal, match } from "node:assert/strict";
import type { Plain } from "../../../runtime/message/plain.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { PrivateRedis } from "../../fixtures/private_redis.ts";
import { hold } from "./redis_stage.ts";

/** Runs openssl in a folder; false where it is not installed. */
async function openssl(cwd: string, ...args: readonly string[]): Promise<boolean> {
  try {
    const { success, stderr } = await new Deno.Command("openssl", { args: [...args], cwd }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Makes an authority, and certificates by it for localhost and for a client. */
async function certificates(folder: string): Promise<boolean> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const authority = [
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=Enoki tests",
  ];
  if (!await openssl(folder, ...authority)) return false;
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=CA:FALSE"];
  for (const name of ["localhost", "client"]) {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", `/CN=${name}`];
    await openssl(
      folder,
      "req",
      "-x509",
      ...key,
      ...signed,
      ...files,
      "-addext",
      `subjectAltName=DNS:${name}`,
    );
  }
  return true;
}

Deno.test("a connection by TLS", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "enoki-redis-tls-" });
  try {
    if (!await certificates(folder)) {
      // deno-lint-ignore no-console -- a skipped test must say so
      console.warn("Tests of TLS with Redis are ignored: openssl is not installed");
      return;
    }
    const port = freePort();
    const tls = ["--tls-port", String(port), "--tls-auth-clients", "yes"];
    const files = [
      "--tls-cert-file",
      "localhost.pem",
      "--tls-key-file",
      "localhost.key",
      "--tls-ca-cert-file",
      "ca.pem",
    ];
    await using redis = await PrivateRedis.open(
      ...tls,
      ...files.map((word) => word.startsWith("--") ? word : `${folder}/${word}`),
    );
    if (redis === undefined) return;
    const URI = `rediss://localhost:${port}`;
    const ask = async (REDIS: Plain) => {
      await using held = hold(REDIS);
      return await held.connection.command(["PING"]).catch((error: Error) => error.message);
    };
    const SSL = {
      ca_certs: `${folder}/ca.pem`,
      certfile: `${folder}/client.pem`,
      keyfile: `${folder}/client.key`,
    };

    await test.step("uses an authority and a certificate of one's own, by path or as PEM", async () => {
      equal(await ask({ URI, SSL }), "PONG");
      const pem = Object.entries(SSL).map(([name, path]) => [name, Deno.readTextFileSync(path)]);
      equal(await ask({ URI, SSL: Object.fromEntries(pem) }), "PONG");
      equal(
        await ask(
          `${URI}?ssl_ca_certs=${SSL.ca_certs}&ssl_certfile=${SSL.certfile}&ssl_keyfile=${SSL.keyfile}`,
        ),
        "PONG",
      );
    });

    await test.step("refuses a server that nobody vouches for", async () => {
      const { ca_certs: _unused, ...others } = SSL;
      match(String(await ask({ URI, SSL: others })), /: TLS failed \(.*\)\. Check SSL in REDIS$/);
    });

    await test.step("checks the name of the server, or takes another one for it", async () => {
      const byAddress = `rediss://127.0.0.1:${port}`;
      match(String(await ask({ URI: byAddress, SSL })), /: TLS failed \(.*\)\. Check SSL in REDIS$/);
      equal(await ask({ URI: byAddress, SSL: { ...SSL, server_hostname: "localhost" } }), "PONG");
      equal(await ask({ URI: byAddress, SSL: { ...SSL, cert_reqs: "CERT_NONE" } }), "PONG");
    });

    await test.step("tells of a file that cannot be read", async () => {
      match(
        String(await ask({ URI, SSL: { ...SSL, ca_certs: `${folder}/none.pem` } })),
        /a file that SSL names cannot be read: .*none\.pem.*Check REDIS$/,
      );
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
