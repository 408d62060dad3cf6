// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { YOUNG_HEAP_FLAG } from "../../runtime/program/young_heap.ts";
import type { Figure } from "./figures.ts";
import { httpLoad } from "./http_load.ts";
import { PortPeer } from "./port_peer.ts";
import { hasWrk, wrkLoad } from "./wrk.ts";

const ASKED = { method: "GET", path: "/hello/7" } as const;

const CONNECTIONS = 64;

/** Milliseconds of load between two looks. */
const SLICE = 4_000;

/** The look after this many requests is the one to which the last one is compared. */
const WARM = 100_000;

/** Megabytes that the process may have, and by which main's heap may grow after the warm look. */
const MOST_RESIDENT = 250;
const MOST_GROWTH = 20;

/** What a process says of itself. Memory is in megabytes. */
interface Look {
  readonly requests: number;
  readonly resident: number;
  /** JavaScript heap of the main thread, garbage included. */
  readonly heap: number;
}

/** The memory of a process that serves as `enoki run` does, while it answers `requests` small HTTP requests. */
export async function benchResident(requests: number): Promise<readonly Figure[]> {
  const load = await hasWrk() ? wrkLoad : httpLoad;
  const script = new URL("./http_peer.ts", import.meta.url).pathname;
  const flags = ["run", "-A", "--no-prompt", `--v8-flags=${YOUNG_HEAP_FLAG}`];
  await using peer = await PortPeer.run(Deno.execPath(), ...flags, script, "counted");
  console.log(`\nMemory of ${requests} HTTP requests over ${CONNECTIONS} connections, 10 threads at most`);
  console.log("  requests   resident MB   main's heap MB");
  let warm: Look | undefined;
  let last = await look(peer.port);
  let most = 0;
  while (last.requests < requests) {
    await load(peer.port, ASKED, CONNECTIONS, SLICE);
    last = await look(peer.port);
    most = Math.max(most, last.resident);
    if (last.requests >= WARM) warm ??= last;
    console.log(
      `${String(last.requests).padStart(10)} ${last.resident.toFixed(0).padStart(13)} ${
        last.heap.toFixed(1).padStart(16)
      }`,
    );
  }
  const growth = warm === undefined ? 0 : last.heap - warm.heap;
  console.log(
    `at most ${most.toFixed(0)} MB resident${
      most > MOST_RESIDENT ? "  too much" : ""
    }; main's heap has grown by ${growth.toFixed(1)} MB since the first ${WARM}${
      growth > MOST_GROWTH ? "  too much" : ""
    }`,
  );
  return [{ name: "resident under HTTP", unit: "MB", enoki: most }];
}

async function look(port: number): Promise<Look> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counts = [...text.matchAll(/^enoki_http_requests_total\{.*\} (\d+)/gm)];
  const number = (name: string) => Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)![1]) / 1e6;
  return {
    requests: counts.reduce((sum, [, count]) => sum + Number(count), 0),
    resident: number("process_resident_memory_bytes"),
    heap: number("enoki_heap_used_bytes"),
  };
}
