/**
 * A server in a process of its own: `http_peer.ts <bare|minimal|enoki|logged|untold|counted|threads|process>` prints its port
 * and serves until it is killed. `bare` sends what Enoki sends, `minimal` is the least that Deno can do, `logged` is
 * Enoki with a line of the log for each request, `counted` is Enoki that tells its numbers. The service of `threads` and of `process` is sandboxed, in that isolation.
 */
import { memory } from "../../extensions/memory/mod.ts";
import { run } from "../../extensions/run.ts";
import { configureLogging } from "../../runtime/log/observe.ts";

const ADDRESS = { hostname: "127.0.0.1", port: 0, onListen() {} };

async function serve(kind: string): Promise<number> {
  if (kind === "minimal") return Deno.serve(ADDRESS, () => Response.json(7)).addr.port;
  if (kind !== "bare") {
    configureLogging({ level: kind === "logged" ? "info" : "warning" });
    const isSandboxed = kind === "threads" || kind === "process";
    const { http } = await run([import.meta.resolve("./http_services.ts")], {
      broker: memory(),
      config: {
        WEB_SERVER_ADDRESS: "127.0.0.1:0",
        telemetry: kind !== "untold",
        ...(kind === "counted" && { METRICS: true }),
        ...(isSandboxed && { isolation: kind }),
      },
      threads: { permissions: isSandboxed ? "none" : "all" },
    });
    return Number(new URL(http!).port);
  }
  const server = Deno.serve(ADDRESS, async (request) => {
    const id = request.headers.get("x-request-id");
    const reply = (type: string, body: string) =>
      new Response(body, { headers: { "content-type": type, ...(id !== null && { "x-request-id": id }) } });
    if (request.method === "POST") return reply("application/json", JSON.stringify(await request.json()));
    if (request.url.endsWith("/number")) return reply("application/json", JSON.stringify(7));
    return reply(
      "text/plain; charset=utf-8",
      `Hello, ${request.url.slice(request.url.lastIndexOf("/") + 1)}!`,
    );
  });
  return server.addr.port;
}

await Deno.stdout.write(new TextEncoder().encode(`${await serve(Deno.args[0]!)}\n`));
