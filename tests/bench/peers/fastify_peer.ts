/** Fastify on Node: prints its port, and answers `/number` until it is killed. */
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import process from "node:process";

interface Fastify {
  get(path: string, handler: () => Promise<unknown>): void;
  listen(where: { readonly host: string; readonly port: number }): Promise<string>;
  readonly server: { address(): AddressInfo };
}

const { fastify } = createRequire(import.meta.url)("fastify") as { fastify(): Fastify };
const app = fastify();
app.get("/number", () => Promise.resolve(7));
await app.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${app.server.address().port}\n`);
