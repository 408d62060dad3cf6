/** Hono on Deno: `hono_peer.ts <specifier>` prints its port, and answers `/number` until it is killed. */
interface Hono {
  get(path: string, handler: (context: { json(value: unknown): Response }) => Response): void;
  fetch(request: Request): Response | Promise<Response>;
}

const { Hono } = await import(Deno.args[0]!) as { readonly Hono: new () => Hono };
const app = new Hono();
app.get("/number", (context) => context.json(7));
const { addr } = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen() {} },
  (request) => app.fetch(request),
);
await Deno.stdout.write(new TextEncoder().encode(`${addr.port}\n`));
