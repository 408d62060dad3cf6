/**
 * The command that records which permissions a service needs.
 *
 * It starts the command line once more, in a process that Deno writes an audit of. The services run there with all
 * permissions; the first process waits, reads the audit and prints what would have been enough.
 */
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { AUDITED } from "../../../runtime/channel/audit_marks.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { inspectModule } from "../../../runtime/module/graph.ts";
import { INTERRUPTIBLE_LOOPS_FLAG } from "../../../runtime/permissions/interruptible_loops.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { ownNeeds } from "../../../runtime/program/own_modules.ts";
import { escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import type { CommandIo } from "../command_io.ts";
import { STARTED_OVER, THREAD_FLAGS } from "../restart.ts";
import { projectFlags } from "../flags/project_flags.ts";
import { requireModuleFiles } from "../flags/module_files.ts";
import { type Audit, readAudit } from "../permissions/audit.ts";
import { neededPermissions, type Surroundings } from "../permissions/needed_permissions.ts";
import { permissionFlags, permissionYaml } from "../permissions/printed_permissions.ts";
import { EXIT } from "../view/failure_report.ts";
import type { RecordedFlags } from "./recorded_run.ts";

/** Exit statuses of a process whose stop was asked for, politely or twice. */
const STOPPED: readonly number[] = [EXIT.fine, 130, 143];

/**
 * Records what services ask for, and prints the permissions that would have been enough.
 *
 * @param argv The command line, for the second process.
 */
export async function permissionsCommand(
  modules: readonly string[],
  flags: RecordedFlags,
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  if (io.env.get(AUDITED) !== undefined) {
    const { recordedRun } = await import("./recorded_run.ts");
    return await recordedRun(modules, flags, io);
  }
  if (Deno.build.standalone) {
    throw new ConfigurationError(
      "Cannot record permissions: Deno writes no audit of a binary. Run this command with deno",
    );
  }
  const done = await io.startOver(modules[0]);
  if (done !== undefined) return done;
  await requireModuleFiles(modules);
  const needs = needsOf(modules);
  const folder = await Deno.makeTempDir({ prefix: "enoki-audit-" });
  try {
    const file = join(folder, "audit.jsonl");
    const status = await runAudited(modules, argv, file, io);
    if (!STOPPED.includes(status)) return status;
    const audit = await readAudit(linesOf(file));
    if (!audit.isUsable) {
      throw new ConfigurationError(
        `Cannot record permissions: Deno ${Deno.version.deno} has no audit that tells who asks. Run deno upgrade`,
      );
    }
    print(audit, {
      needs: await needs,
      env: { has: (name) => io.env.get(name) !== undefined },
      folder: Deno.cwd(),
      temporary: tmpdir(),
    }, io);
    return EXIT.fine;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Returns what threads may read and import in any case. A module that does not load has no such needs. */
async function needsOf(modules: readonly string[]): Promise<Surroundings["needs"]> {
  const urls = modules.map((module) => parseModuleSpecifier(module).url).filter((url) =>
    url.startsWith("file:")
  );
  const each = await Promise.all(urls.map(async (url) => {
    try {
      return (await inspectModule(url)).needs;
    } catch {
      return ownNeeds();
    }
  }));
  return {
    read: [...ownNeeds().read, ...each.flatMap(({ read }) => read)],
    import: each.flatMap((needs) => needs.import),
  };
}

async function runAudited(
  modules: readonly string[],
  argv: readonly string[],
  file: string,
  io: CommandIo,
): Promise<number> {
  // Where everything is allowed, Deno counts each read as a write, too, and the other way round. So it is not everything.
  const nowhere = join(dirname(file), "nowhere");
  const program = import.meta.resolve("../../../cli.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      `--deny-read=${nowhere}`,
      `--deny-write=${nowhere}`,
      ...THREAD_FLAGS,
      INTERRUPTIBLE_LOOPS_FLAG,
      ...projectFlags(modules[0]!, [], program),
      program,
      ...argv,
    ],
    // Without all permissions, a process cannot see its own flags, so it would start over without them.
    env: {
      DENO_AUDIT_PERMISSIONS: file,
      DENO_TRACE_PERMISSIONS: "1",
      [AUDITED]: "1",
      [STARTED_OVER]: "1",
    },
    stdin: "null",
    // What services print is not the result of this command.
    stdout: "piped",
    stderr: io.terminal ? "inherit" : "piped",
  }).spawn();
  // At a terminal, the second process hears Ctrl-C, too, and takes both for one.
  using _signals = io.onStop((signal) => child.kill(signal));
  const shown = [child.stdout, ...io.terminal ? [] : [child.stderr]].map((stream) =>
    stream.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({ write: (text) => io.writeMessage(text) }),
    )
  );
  const { code } = await child.status;
  await Promise.all(shown);
  return code;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ENOENT") throw error;
  }
}

function print({ uses, services }: Audit, around: Surroundings, io: CommandIo): void {
  const { permissions, unset } = neededPermissions(uses, around);
  const say = (text: string) => io.writeMessage(`${escapeControlsInLines(text)}\n`);
  const whose = services.join(", ");
  if (services.length > 1) {
    say(
      `These are the permissions of ${whose} together. Name one of them for its own, as in ` +
        `<module>:${services[0]}`,
    );
  }
  if (unset.length > 0) {
    say(`Not set here, and so not listed: ${unset.join(", ")}. Allow them with env where they are set`);
  }
  if (permissions === "none") say(`${whose} asked for nothing: no permission is needed`);
  const flags = permissionFlags(permissions);
  io.writeResult(escapeControlsInLines(
    `${flags === "" ? "" : `${flags}\n\n`}${permissionYaml(permissions, services)}`,
  ));
}
