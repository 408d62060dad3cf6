/**
 * What a service that may start Workers does to the main process, for both kinds of isolation.
 *
 * Each law holds what the page about permissions says. Where a process of its own has a wall and threads have none, the
 * escape must succeed from threads: a Deno that closes the hole fails the law, and then the page has to change.
 */
import assert from "node:assert/strict";
import type { Way } from "../../fixtures/services/escaping.ts";

const PROGRAM = new URL("../../fixtures/escaping_program.ts", import.meta.url).pathname;

type Kind = "threads" | "process";

/** What comes of an escape: what the main process sees of it, or what its end is. */
type Law = readonly [way: Way, text: string, threads: string | RegExp, process: string | RegExp];

const LAWS: readonly Law[] = [
  ["lock", "steals a lock of the main thread", "stolen", "held"],
  ["channel", "posts to a broadcast channel of the main thread", "heard", "silence"],
  ["truncate", "cuts off the log", "empty", "whole"],
  ["flood", "floods the log", "all of it", "bounded"],
  ["argumentsOfProgram", "reads the arguments of the program", /flood/, ""],
  ["memory", "fills memory outside of the heap", "here", "elsewhere"],
  ["workers", "starts 60 Workers", "here", "elsewhere"],
  ["signal", "listens to a signal, which then does not end the process", "listens", "does not listen"],
  ["adopt", "writes to a connection of the main thread", "adopted", "own"],
  ["kill", "kills its process", "SIGKILL", /lost: its process was ended by SIGKILL$/],
  ["vsock", "ends its process by a vsock", "status 70", /lost: its process exited with status 70$/],
  ["panic", "makes Deno panic", "status 1", /lost: its process exited with status 1$/],
  ["spin", "leaves a Worker behind that spins", "for ever", "until it stopped"],
];

/** What no Worker can do under either kind, and what every one can. */
const COMMON: readonly (readonly [way: Way, text: string, outcome: string | RegExp])[] = [
  ["permissions", "has no permission but that for Workers", ""],
  ["abort", "cannot abort its process", "process.abort() is not supported in workers"],
  ["gpu", "may ask for the GPU", "asked"],
  ["timing", "has a clock of its own", "counted"],
];

/** Ways that end the program if its services are threads. */
const FATAL: readonly Way[] = ["kill", "vsock", "panic"];

async function outcomes(kind: Kind, ways: readonly Way[]): Promise<ReadonlyMap<Way, string>> {
  const folder = await Deno.makeTempDir();
  const [told, log] = [`${folder}/told`, `${folder}/log`];
  // The program writes to a file, as under a service manager that keeps a log.
  const { code, signal } = await new Deno.Command("sh", {
    args: [
      "-c",
      'exec "$0" "$@" > "$LOG" 2> /dev/null',
      ...[Deno.execPath(), "run", "-A", "--no-check", PROGRAM, kind, told, ...ways],
    ],
    env: { LOG: log },
    stdin: "null",
  }).output();
  const lines = await Deno.readTextFile(told).catch(() => "");
  await Deno.remove(folder, { recursive: true });
  const found = new Map<Way, string>(lines.split("\n").filter(Boolean).map((line) => JSON.parse(line)));
  const last = ways.find((way) => !found.has(way));
  if (last !== undefined) found.set(last, signal ?? `status ${code}`);
  return found;
}

for (const kind of ["threads", "process"] as const) {
  Deno.test({
    name: `a Worker of a service with isolation: ${kind}`,
    ignore: Deno.build.os !== "linux",
    async fn(test) {
      const all = [...COMMON, ...LAWS].map(([way]) => way);
      const runs = kind === "process"
        ? [all]
        : [all.filter((way) => !FATAL.includes(way)), ...FATAL.map((way) => [way])];
      const found = new Map(
        (await Promise.all(runs.map((ways) => outcomes(kind, ways)))).flatMap((some) => [...some]),
      );
      const laws = [
        ...LAWS.map(([way, text, threads, process]) =>
          [way, text, kind === "threads" ? threads : process] as const
        ),
        ...COMMON,
      ];
      for (const [way, text, expected] of laws) {
        await test.step(`${text}: ${expected}`, () => {
          if (typeof expected === "string") assert.equal(found.get(way), expected);
          else assert.match(found.get(way) ?? "", expected);
        });
      }
    },
  });
}
