import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { commandLine } from "../../../runtime/program/program_config.ts";
import type { Settings } from "../../settings.ts";
import type { CommandIo } from "../command_io.ts";
import { StopRequests } from "../commands/stop_requests.ts";
import type { RunView } from "../view/run_view.ts";
import type { ProcessProgram } from "./child.ts";
import { Supervisor } from "./supervisor.ts";

/** Flag of Deno without which it shares no port. Binaries have it from `compile`. */
const SHARED_PORTS_FLAG = "--unstable-net";

/** What the run of several processes is made of. */
export interface SuperviseOptions {
  readonly settings: Settings;
  /** Whether services are to be reloaded when their files change. */
  readonly watch: boolean;
  readonly io: CommandIo;
  readonly view: RunView;
}

/**
 * Serves in several processes of this same command until a signal arrives. A second signal aborts the stop; SIGHUP
 * restarts the processes one after the other.
 *
 * @returns The worst exit status of the processes, or that of the signal that has aborted the stop.
 * @throws {ConfigurationError} If this system or the flags do not allow several processes.
 */
export async function supervise(
  processes: number,
  { settings, watch, io, view }: SuperviseOptions,
): Promise<number> {
  const refuse = (state: string) =>
    new ConfigurationError(`Cannot run several processes: ${state}. Leave --processes out`);
  if (watch) throw refuse("--watch reloads the services of one process");
  if (Deno.build.os !== "linux") throw refuse("only Linux shares ports among processes");
  const { grace } = settings.runtime;
  const folder = await Deno.makeTempDir({ prefix: "enoki-processes-" });
  const supervisor = new Supervisor({
    program: ownProgram(),
    processes,
    folder,
    output: { stdout: io.writeResult, stderr: (lines) => view.log(lines.replace(/\n$/, "")) },
    grace,
    colors: io.colors,
  });
  using stop = new StopRequests(io);
  // The end of a terminal is the end of the run.
  using _hangups = io.terminal ? undefined : onHangup(() => void supervisor.restart());
  try {
    const service = serveUntilStopped(supervisor, processes, stop, view);
    void stop.second.addEventListener("abort", () => supervisor.abort());
    await Promise.race([service, stop.aborted(view, service)]);
    return Math.max(supervisor.status, stop.status);
  } finally {
    supervisor.kill();
    await Deno.remove(folder, { recursive: true });
  }
}

async function serveUntilStopped(
  supervisor: Supervisor,
  processes: number,
  stop: StopRequests,
  view: RunView,
): Promise<void> {
  view.starting(processes);
  const starting = supervisor.start();
  const report = await Promise.race([starting, stop.requested]);
  view.clear();
  if (report !== undefined) {
    view.ready(report, supervisor.pids);
    await stop.requested;
  }
  if (!stop.first.aborted) return;
  view.stoppingProcesses(processes);
  await supervisor.stop();
  if (!stop.second.aborted) view.say("Stopped");
}

/** The command of this process, as the next process is to be started with it. */
function ownProgram(): ProcessProgram {
  const path = Deno.execPath();
  const words = commandLine() ?? [];
  if (Deno.build.standalone) return { path, args: words };
  const main = words.length - Deno.args.length - 1;
  return { path, args: [...words.slice(0, main), SHARED_PORTS_FLAG, ...words.slice(main)] };
}

function onHangup(listener: () => void): Disposable {
  Deno.addSignalListener("SIGHUP", listener);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", listener) };
}
