/** The load generator `wrk`, where it is installed: it takes less of a core than a client in JavaScript. */
import type { HttpCase } from "./http_load.ts";
import type { Measurement } from "./load.ts";

const MILLISECONDS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

/** Whether there is a `wrk` on the PATH. */
export async function hasWrk(): Promise<boolean> {
  try {
    await new Deno.Command("wrk", { args: ["-v"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch {
    return false;
  }
}

/** Requests a second and how long they took, with one request at a time on each of `connections` for `duration` milliseconds. */
export async function wrkLoad(
  port: number,
  { method, path, body }: HttpCase,
  connections: number,
  duration: number,
): Promise<Measurement> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  try {
    await Deno.writeTextFile(
      script,
      `wrk.method = "${method}"\n` +
        (body === undefined
          ? ""
          : `wrk.body = [[${body}]]\nwrk.headers["content-type"] = "application/json"\n`),
    );
    const { stdout } = await new Deno.Command("wrk", {
      args: [
        "--latency",
        "--threads=1",
        `--connections=${connections}`,
        `--duration=${duration / 1_000}s`,
        // A busy machine is slow, which the figures tell; it has not failed.
        "--timeout=30s",
        `--script=${script}`,
        `http://127.0.0.1:${port}${path}`,
      ],
    }).output();
    const report = new TextDecoder().decode(stdout);
    if (/Non-2xx|Socket errors/.test(report)) throw new Error(`Not all requests were answered: ${report}`);
    return {
      rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(report)![1]),
      p50: latency(report, 50),
      p99: latency(report, 99),
    };
  } finally {
    await Deno.remove(script);
  }
}

/** The milliseconds that a part of the requests took at most. */
function latency(report: string, percent: number): number {
  const [, number, unit] = new RegExp(`\\b${percent}%\\s+([\\d.]+)(us|ms|s|m)\\b`).exec(report)!;
  return Number(number) * MILLISECONDS[unit!]!;
}
