import { escapeControls } from "../../../runtime/log/terminal_text.ts";
import type { ControlClient } from "../../control/control_client.ts";
import type { InspectionSubject } from "../../control/inspection.ts";
import type { InstanceStatus } from "../../control/status.ts";
import type { CommandIo } from "../command_io.ts";
import { EXIT, reportFailure } from "../view/failure_report.ts";
import { shortId } from "../view/instance_table.ts";
import type { ConfigFlags } from "./config.ts";
import { beginMessaging } from "./messaging.ts";
import { nobodyText } from "./ps.ts";

/** Flags of `profile` and `heap`. */
export interface InspectFlags extends ConfigFlags {
  /** Seconds that a profile takes. */
  readonly seconds?: number;
  readonly thread?: string;
  /** First digits of the id of an instance. */
  readonly instance?: string;
  readonly output?: string;
}

/** What is taken, in words, with the ending of its file by which DevTools knows it. */
const SUBJECTS = {
  profile: { name: "a CPU profile", ending: ".cpuprofile" },
  heap: { name: "a heap snapshot", ending: ".heapsnapshot" },
} as const;

/** Takes a profile or a snapshot of one thread of a service, and writes it to a file. */
export async function inspectCommand(
  what: InspectionSubject,
  service: string,
  { broker, seconds = 10, thread, instance: chosen, output, ...setup }: InspectFlags,
  io: CommandIo,
): Promise<number> {
  const stop = new AbortController();
  const { signal } = stop;
  using _signals = io.onStop(() => stop.abort(new DOMException("Stopped by the user", "AbortError")));
  const config = await beginMessaging(setup, io);
  const { openControl } = await import("../../control_connection.ts");
  const { InspectionError, inspectThread } = await import("../../control/inspection.ts");
  const say = (text: string) => io.writeMessage(`${escapeControls(text)}\n`);
  try {
    await using control = await openControl({ config, signal, ...(broker !== undefined && { broker }) });
    const instance = await busiest(control.client, service, chosen, signal);
    if (instance === undefined) {
      const which = chosen === undefined ? "" : `Instance ${chosen} does not answer. `;
      say(which + nobodyText(service, control.transport.broker));
      return EXIT.unreachable;
    }
    let path = output;
    const bytes = inspectThread(control.client, {
      service,
      instance: instance.id,
      what,
      seconds,
      signal,
      ...(thread !== undefined && { thread }),
      onBegin(name) {
        path ??= `${name.replaceAll(/[^\w.-]+/g, "_")}-${stamp()}${SUBJECTS[what].ending}`;
        const time = what === "profile" ? ` for ${seconds} s` : "";
        say(`Taking ${SUBJECTS[what].name} of ${name} in ${instance.host} ${shortId(instance.id)}${time}`);
      },
    });
    const size = await writeFile(bytes, () => path!);
    io.writeResult(`${path}\n`);
    say(`Wrote ${Math.ceil(size / 1_000).toLocaleString("en")} kB, which Chrome's DevTools load`);
    return EXIT.fine;
  } catch (error) {
    if (signal.aborted) {
      say("Stopped: there is no file");
      return EXIT.remoteFailure;
    }
    if (error instanceof InspectionError) {
      say(error.message);
      return EXIT.remoteFailure;
    }
    const { status, text } = reportFailure(error);
    io.writeMessage(`${text}\n`);
    return status;
  }
}

/** Milliseconds that busy processes may take to answer. */
const ANSWER_LIMIT = 5_000;

/** Finds the process that serves most calls of a service at present. */
async function busiest(
  client: ControlClient,
  service: string,
  chosen: string | undefined,
  signal: AbortSignal,
): Promise<InstanceStatus | undefined> {
  const { liveInstances } = await import("../../control/live.ts");
  const load = ({ services }: InstanceStatus) => {
    const { inFlight = 0, waiting = 0, rates } = services.find(({ name }) => name === service) ?? {};
    return [inFlight + waiting, rates?.calls ?? 0] as const;
  };
  const [first] = (await liveInstances(client, { services: [service], timeout: ANSWER_LIMIT, signal }))
    .filter(({ id }) => chosen === undefined || id.startsWith(chosen))
    .toSorted((a, b) => load(b)[0] - load(a)[0] || load(b)[1] - load(a)[1]);
  return first;
}

/** Writes bytes to a file as they come, and returns their number. What is not complete does not stay. */
async function writeFile(bytes: AsyncIterable<Uint8Array>, pathOf: () => string): Promise<number> {
  let size = 0;
  let file: Deno.FsFile | undefined;
  try {
    for await (const piece of bytes) {
      file ??= await open(pathOf());
      for (let written = 0; written < piece.length;) written += await file.write(piece.subarray(written));
      size += piece.length;
    }
    return size;
  } catch (error) {
    if (file !== undefined) await Deno.remove(pathOf()).catch(() => {});
    throw error;
  } finally {
    file?.close();
  }
}

async function open(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, create: true, truncate: true });
  } catch (error) {
    const { ConfigurationError } = await import("../../../runtime/message/errors.ts");
    throw new ConfigurationError(`Cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function stamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(":", "-");
}
