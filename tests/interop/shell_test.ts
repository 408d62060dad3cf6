/** `nameko shell` as a client of services of ours. */
import { deepStrictEqual, equal } from "node:assert/strict";
import { event, rpc, type Service, service } from "../../mod.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { namekoPython } from "../fixtures/nameko.ts";
import { Record } from "../extensions/events/event_stage.ts";
import { namekoLaws } from "./laws.ts";

configureLogging({ write: () => {} });

namekoLaws("nameko shell", () => Promise.resolve({}), [
  {
    law: "calls services of Enoki, and dispatches events to them",
    async prove(stage) {
      const [ours, source] = [stage.name("ours"), stage.name("source")];
      const got = new Record<unknown>();
      await stage.ours([
        service(ours, {
          entrypoints: { hello: rpc(), take: event(source, "happened", { reliable: false }) },
          handlers: {
            hello: (_context, name: string) => `Hello, ${name}!`,
            take: (_context, payload) => got.add(payload),
          },
        }) as unknown as Service,
      ]);
      const { command, env } = await namekoPython(stage.versions);
      const child = new Deno.Command(command, {
        args: ["-W", "ignore", "-m", "nameko", "shell", "--interface", "plain", "--broker", stage.uri],
        env: { ...env },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const typed = child.stdin.getWriter();
      await typed.write(new TextEncoder().encode([
        `print("called", n.rpc["${ours}"].hello(name="shell"))`,
        `print("again", n.rpc.${ours}.hello("shell"))`,
        `n.dispatch_event("${source}", "happened", {"by": "shell"})`,
        "n.disconnect()",
        "",
      ].join("\n")));
      await typed.close();
      const { code, stdout, stderr } = await child.output();
      const said = new TextDecoder().decode(stdout);
      equal(code, 0, said + new TextDecoder().decode(stderr));
      deepStrictEqual(said.match(/(?:called|again) Hello, shell!/g), [
        "called Hello, shell!",
        "again Hello, shell!",
      ]);
      deepStrictEqual(await got.reaches(1), [{ by: "shell" }]);
    },
  },
]);
