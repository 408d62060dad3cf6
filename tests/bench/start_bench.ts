// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { join } from "node:path";
import { compile, COMPILER } from "../e2e/binaries.ts";
import { runProgram } from "../e2e/program.ts";
import { freePort } from "../fixtures/free_port.ts";
import type { Figure } from "./figures.ts";
import { median } from "./median.ts";

/** Rounds; all programs take turns, so that a noisy minute hits each. The first ones only warm up. */
const ROUNDS = 12;
const WARM_UP = 2;

/** Milliseconds between two attempts to be answered. */
const INTERVAL = 1;

const SERVICE = `import { http, service } from "@enoki/enoki";
export default service("bench", {
  entrypoints: { hello: http("GET", "/") },
  handlers: { hello: () => "Hello" },
});
`;

const BARE = `Deno.serve({ port: Number(Deno.args[0]), onListen() {} }, () => new Response("Hello"));\n`;

/** The same from a thread. */
const THREAD = `import { parentPort } from "node:worker_threads";
parentPort.on("message", () => parentPort.postMessage("Hello"));
`;
const BARE_WITH_THREAD = `import { once } from "node:events";
import { Worker } from "node:worker_threads";
const thread = new Worker(new URL(import.meta.resolve("./thread.js")));
Deno.serve({ port: Number(Deno.args[0]), onListen() {} }, async () => {
  thread.postMessage("");
  return new Response((await once(thread, "message"))[0]);
});
`;

/** A way to start, by the words of its command. */
interface Start {
  readonly name: string;
  command(port: number): readonly [string, ...string[]];
  /** Whether what it has kept of earlier starts is deleted before. */
  readonly forgets?: boolean;
}

interface Measurement {
  /** From the start of the process to the first answer over HTTP. */
  readonly milliseconds: number;
  /** Resident, of the whole process with all of its threads; undefined where the system does not tell. */
  readonly bytes: number | undefined;
}

/** How long binaries take until they answer, what they need in memory, and how large they are. */
export async function benchStart(): Promise<readonly Figure[]> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-bench-" });
  const at = (name: string) => join(folder, name);
  const texts = {
    "service.ts": SERVICE,
    "bare.js": BARE,
    "thread.js": THREAD,
    "with_thread.js": BARE_WITH_THREAD,
  };
  for (const [name, text] of Object.entries(texts)) await Deno.writeTextFile(at(name), text);
  await using origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) =>
      request.url.endsWith("/service.ts")
        ? new Response(SERVICE, { headers: { "content-type": "application/typescript" } })
        : new Response("not found", { status: 404 }),
  );
  try {
    const bareCompile = [COMPILER, "compile", "--quiet", "--no-check", "--no-config", "-A"] as const;
    await runProgram([...bareCompile, "--output", at("bare"), at("bare.js")]);
    await runProgram([
      ...bareCompile,
      "--include",
      at("thread.js"),
      "--output",
      at("with_thread"),
      at("with_thread.js"),
    ]);
    await compile(at("service.ts"), "-o", at("application"));
    await compile("-o", at("enoki"));
    return await report(at, `http://127.0.0.1:${origin.addr.port}/service.ts`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function report(at: (name: string) => string, url: string): Promise<readonly Figure[]> {
  const flags = (port: number) => ["--broker", "memory:", "--http", `127.0.0.1:${port}`];
  const starts: readonly Start[] = [
    { name: "Deno.serve", command: (port) => [at("bare"), `${port}`] },
    { name: "Deno.serve and a thread", command: (port) => [at("with_thread"), `${port}`] },
    { name: "application -A", command: (port) => [at("application"), "-A", ...flags(port)] },
    {
      name: "application, threads",
      command: (port) => [at("application"), "--isolation", "threads", ...flags(port)],
    },
    { name: "application, process", command: (port) => [at("application"), ...flags(port)] },
    { name: "enoki run <url>, kept", command: (port) => [at("enoki"), "run", ...flags(port), url] },
    {
      name: "enoki run <url>, new",
      command: (port) => [at("enoki"), "run", ...flags(port), url],
      forgets: true,
    },
  ];
  const measured = new Map<Start, Measurement[]>(starts.map((start) => [start, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const start of starts) {
      const measurement = await measure(start, at("cache"));
      if (round >= WARM_UP) measured.get(start)!.push(measurement);
    }
  }
  console.log(
    `\nBinaries, from the start of the process to the first answer over HTTP; ${
      ROUNDS - WARM_UP
    } rounds, medians`,
  );
  console.log("                            ms   to bare   MB resident");
  let bare: number | undefined;
  const figures: Figure[] = [];
  for (const [{ name }, measurements] of measured) {
    const milliseconds = median(measurements.map(({ milliseconds }) => milliseconds));
    bare ??= milliseconds;
    figures.push({ name, unit: "ms", enoki: milliseconds, bare, ratio: milliseconds / bare });
    const bytes = measurements.flatMap(({ bytes }) => bytes ?? []);
    console.log(
      `${name.padEnd(24)} ${milliseconds.toFixed(0).padStart(5)} ${
        (milliseconds / bare).toFixed(2).padStart(9)
      } ${(bytes.length === 0 ? "?" : (median(bytes) / 1e6).toFixed(0)).padStart(13)}`,
    );
  }
  const [bareSize, size] = await Promise.all(
    ["bare", "enoki"].map(async (name) => (await Deno.stat(at(name))).size),
  );
  console.log(`enoki is ${((size! - bareSize!) / 1e6).toFixed(1)} MB larger than the bare binary`);
  // The first two are what the others are beside.
  return figures.slice(2);
}

async function measure({ command, forgets = false }: Start, cache: string): Promise<Measurement> {
  if (forgets) await Deno.remove(cache, { recursive: true }).catch(() => {});
  const port = freePort();
  const [program, ...args] = command(port);
  const start = performance.now();
  const process = new Deno.Command(program, {
    args,
    env: { XDG_CACHE_HOME: cache },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let hasEnded = false;
  const ended = process.status.then(() => hasEnded = true);
  try {
    while (!await answers(port)) {
      if (hasEnded) throw new Error(`${program} ended before it answered`);
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
    return { milliseconds: performance.now() - start, bytes: residentBytes(process.pid) };
  } finally {
    if (!hasEnded) process.kill("SIGKILL");
    await ended;
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    return await (await fetch(`http://127.0.0.1:${port}/`)).text() === "Hello";
  } catch {
    return false;
  }
}

function residentBytes(pid: number): number | undefined {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]) * 1_024;
  } catch {
    return undefined;
  }
}
