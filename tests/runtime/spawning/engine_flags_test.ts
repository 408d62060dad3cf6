/** Flags of Deno that change how code runs: a service has them in a process of its own, too. */
import { equal } from "node:assert/strict";
import { enoki, PROGRAM, withBroker } from "../../cli/command.ts";
import { Child } from "../../fixtures/child.ts";

const CERTIFICATES = new URL("../../fixtures/tls/", import.meta.url).pathname;

const SERVICE = `
import { rpc, service } from ${JSON.stringify(import.meta.resolve("../../../mod.ts"))};

export default service("fetching", {
  entrypoints: { get: rpc() },
  handlers: { get: async (_context, url) => await (await fetch(url)).text() },
});
`;

for (const flags of [["--cert", `${CERTIFICATES}authority.pem`], [`--cert=${CERTIFICATES}authority.pem`]]) {
  Deno.test(`a restricted service trusts what Deno was told to trust, by ${flags.length === 1 ? "--cert=FILE" : "--cert FILE"}`, () =>
    withBroker(async (broker, folder) => {
      await Deno.writeTextFile(`${folder}/fetching.ts`, SERVICE);
      await using server = Deno.serve({
        hostname: "localhost",
        port: 0,
        cert: await Deno.readTextFile(`${CERTIFICATES}localhost.pem`),
        key: await Deno.readTextFile(`${CERTIFICATES}localhost.key`),
        onListen() {},
      }, () => new Response("trusted"));
      const [program, run, ...args] = PROGRAM;
      const options = ["--allow-net=localhost", "--max-workers", "1", "--broker", broker];
      const words = [run!, ...flags, ...args, "run", ...options, `${folder}/fetching.ts`];
      await using running = new Child(program, words);
      await running.says("in a process of its own");
      await running.says("Ready on");
      const url = JSON.stringify(`https://localhost:${server.addr.port}/`);
      const { out, err } = await enoki(["call", "--broker", broker, "fetching.get", url]);
      equal(out, '"trusted"\n', err);
    }));
}
