/** The load generator `wrk`, where it is installed: it takes less of a core than a client in JavaScript. */
import type { HttpCase } from "./http_load.ts";

/** Whether there is a `wrk` on the PATH. */
export async function hasWrk(): Promise<boolean> {
  try {
    await new Deno.Command("wrk", { args: ["-v"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch {
    return false;
  }
}

/** Requests a second, with one request at a time on each of `connections` for `duration` milliseconds. */
export async function wrkLoad(
  port: number,
  { method, path, body }: HttpCase,
  connections: number,
  duration: number,
): Promise<number> {
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
        "--threads=1",
        `--connections=${connections}`,
        `--duration=${duration / 1_000}s`,
        `--script=${script}`,
        `http://127.0.0.1:${port}${path}`,
      ],
    }).output();
    const report = new TextDecoder().decode(stdout);
    if (/Non-2xx|Socket errors/.test(report)) throw new Error(`Not all requests were answered: ${report}`);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(report)![1]);
  } finally {
    await Deno.remove(script);
  }
}
