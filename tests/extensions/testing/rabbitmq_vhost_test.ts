import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { rabbitmqVhost } from "../../../extensions/testing/mod.ts";
import { freePort } from "../../fixtures/free_port.ts";

/** A server with the part of the management plugin's API that vhosts need. */
function servePlugin(answer: (request: Request) => Response) {
  const requests: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    requests.push(`${request.method} ${pathname} ${await request.text()}`.trim());
    return answer(request);
  });
  return {
    requests,
    uri: `http://ada:s%2Fcret@127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("rabbitmqVhost() makes a vhost by the management plugin, and removes it", async () => {
  const logins = new Set<string | null>();
  await using plugin = servePlugin(({ headers }) => {
    logins.add(headers.get("authorization"));
    return new Response(null, { status: 204 });
  });
  let name: string;
  {
    await using vhost = await rabbitmqVhost({
      broker: "amqp://bob:pass@rabbit:5000/main?heartbeat=5;amqp://other",
      management: plugin.uri,
    });
    ({ name } = vhost);
    strictEqual(vhost.uri, `amqp://bob:pass@rabbit:5000/${name}?heartbeat=5`);
    deepStrictEqual(plugin.requests, [
      `PUT /api/vhosts/${name}`,
      `PUT /api/permissions/${name}/bob {"configure":".*","write":".*","read":".*"}`,
    ]);
  }
  strictEqual(plugin.requests[2], `DELETE /api/vhosts/${name}`);
  deepStrictEqual([...logins], [`Basic ${btoa("ada:s/cret")}`]);
});

Deno.test("rabbitmqVhost() says what the plugin answers, and when a vhost stays", async () => {
  await using plugin = servePlugin(({ method }) =>
    new Response("told", { status: method === "DELETE" ? 500 : 201 })
  );
  const vhost = await rabbitmqVhost({ management: plugin.uri });
  await rejects(async () => await vhost[Symbol.asyncDispose](), {
    name: "BrokerError",
    message: /^Cannot remove vhost "enoki-test-.*status 500\. Remove it by hand$/,
  });
  await using refusing = servePlugin(() => new Response("no", { status: 401 }));
  await rejects(
    rabbitmqVhost({ management: refusing.uri }),
    /answered with status 401\. Enable the plugin by/,
  );
});

Deno.test("rabbitmqVhost() leaves no vhost that its user may not use", async () => {
  await using plugin = servePlugin(({ url }) =>
    new Response(null, { status: url.includes("/permissions/") ? 404 : 204 })
  );
  await rejects(rabbitmqVhost({ management: plugin.uri }), /answered with status 404/);
  const [made, , ...then] = plugin.requests;
  deepStrictEqual(then, [made!.replace("PUT", "DELETE")]);
});

/** Runs a program that makes and removes a vhost, where `rabbitmqctl` is the given script, or is not there. */
async function makeVhost(
  rabbitmqctl?: string,
): Promise<{ readonly printed: string; readonly asked: string }> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-" });
  try {
    if (rabbitmqctl !== undefined) {
      await Deno.writeTextFile(`${folder}/rabbitmqctl`, rabbitmqctl, { mode: 0o755 });
    }
    const door = new URL("../../../extensions/testing/rabbitmq_vhost.ts", import.meta.url).href;
    const program = `import { rabbitmqVhost } from "${door}";
      try {
        await using vhost = await rabbitmqVhost({ broker: "amqp://nobody:guest@localhost:${freePort()}" });
        console.log(vhost.uri);
      } catch ({ message }) { console.log(message); }`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", program],
      env: { PATH: folder, ASKED: `${folder}/asked` },
    }).output();
    const asked = await Deno.readTextFile(`${folder}/asked`).catch(() => "");
    return { printed: new TextDecoder().decode(stdout), asked };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("rabbitmqVhost() runs rabbitmqctl where the plugin does not help", async () => {
  const { printed, asked } = await makeVhost('#!/bin/sh\necho "$@" >> "$ASKED"\n');
  const [, name] = /^amqp:\/\/nobody:guest@localhost:\d+\/(enoki-test-[\w-]+)$/m.exec(printed)!;
  deepStrictEqual(asked.trim().split("\n"), [
    `-q add_vhost ${name}`,
    `-q set_permissions -p ${name} nobody .* .* .*`,
    `-q delete_vhost ${name}`,
  ]);
});

Deno.test("rabbitmqVhost() tells both reasons where neither helps", async () => {
  const { printed } = await makeVhost();
  match(
    printed,
    /^Cannot make a vhost at amqp:\/\/localhost:\d+: the management plugin at .*; rabbitmqctl is not installed/,
  );
});
