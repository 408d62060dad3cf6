import { createHash } from "node:crypto";
import assert from "node:assert/strict";
import { enoki, withBroker } from "./command.ts";

Deno.test("enoki config masks secrets", async () => {
  const { out } = await enoki(["config", "--broker", "amqp://ada:secret@host", "--define", "api_key=secret"]);
  assert.equal(out, 'TRANSPORT: amqp://ada:********@host\napi_key: "********"\n');
});

Deno.test("enoki config prefers flag to definition to file to environment", () =>
  withBroker(async (_broker, folder) => {
    const file = `${folder}/app.yaml`;
    await Deno.writeTextFile(file, "AMQP_URI: amqp://file\nmax_workers: 2\ngrace: 2\n");
    const { status, out } = await enoki(
      ["config", "--json", "--config", file, "--define", "grace=3", "--broker", "local:x"],
      { env: { AMQP_URI: "amqp://env", WEB_SERVER_ADDRESS: ":80", TRANSPORT: "memory:" } },
    );
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(out), {
      AMQP_URI: "amqp://file",
      TRANSPORT: "local:x",
      WEB_SERVER_ADDRESS: ":80",
      grace: 3,
      max_workers: 2,
    });
  }));

Deno.test("enoki config says where a file is no YAML", () =>
  withBroker(async (_broker, folder) => {
    const file = `${folder}/app.yaml`;
    await Deno.writeTextFile(file, "max_workers: [1,\n");
    const { status, out, err } = await enoki(["config", "--config", file]);
    assert.equal(status, 2);
    assert.equal(out, "");
    assert.match(err, /^Cannot read config file ".*app\.yaml", line \d+, column \d+: .*\n$/);
  }));

Deno.test("enoki config fails on a file that is not there", async () => {
  assert.deepEqual(await enoki(["config", "--config", "nowhere.yaml"]), {
    status: 2,
    out: "",
    err: 'Cannot read config file "nowhere.yaml": no such file\n',
  });
});

Deno.test("enoki config masks secrets by their shape under innocent keys", async () => {
  const hash = (form: "hex" | "base64") => createHash("sha256").update("enoki").digest(form);
  const secrets = [
    `Bearer ${hash("hex").slice(0, 20)}`,
    `AKIA${hash("hex").toUpperCase().slice(0, 16)}`,
    `https://${hash("hex").slice(0, 32)}@sentry.example/1`,
    hash("hex"),
    hash("hex").slice(0, 32),
    hash("base64"),
  ];
  const define = secrets.flatMap((secret, index) => ["--define", `color${index}=${secret}`]);
  const { out } = await enoki(["config", "--json", ...define]);
  assert.deepEqual(Object.values(JSON.parse(out)), [
    "Bearer ********",
    "********",
    "https://********@sentry.example/1",
    "********",
    "********",
    "********",
  ]);
});
