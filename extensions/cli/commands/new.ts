import { basename, join, resolve } from "node:path";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import type { CommandIo } from "../command_io.ts";
import { enokiAddress } from "../create/enoki_address.ts";
import { attemptOf, projectFiles } from "../create/project.ts";
import { TEMPLATE_NAMES, type TemplateName, TEMPLATES } from "../create/templates.ts";
import { EXIT } from "../view/failure_report.ts";

/** Flags of `new`. */
export interface NewFlags {
  readonly template?: TemplateName;
  /** URL or path of a folder with Enoki's `mod.ts`. */
  readonly from?: string;
}

/** Makes a project in a new folder. What is not given, it asks for, if a user sits at a terminal. */
export async function newCommand(
  given: string | undefined,
  { template: chosen, from }: NewFlags,
  io: CommandIo,
): Promise<number> {
  const path = given ?? askForPath(io);
  const folder = resolve(path);
  const name = basename(folder);
  requireName(name);
  const template = await TEMPLATES[chosen ?? (given === undefined ? askForTemplate(io) : "rpc")]();
  await requireEmpty(folder, path);
  const enoki = enokiAddress(folder, from);
  const files = projectFiles({ name, template, enoki });
  await Deno.mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, file), text, { createNew: true });
  }
  io.writeResult(
    `Made ${path}: ${Object.keys(files).join(", ")}\n\nNext:\n  cd ${path}\n  deno task dev\n` +
      `  ${attemptOf(template.attempt)}    # in a second terminal\n`,
  );
  return EXIT.fine;
}

/** The name is a part of file names, and an argument of commands. */
const NAME = /^[a-z\d][\w.-]*$/i;

function requireName(name: string): void {
  if (NAME.test(name)) return;
  throw new ConfigurationError(
    `Cannot make a project "${name}": a name has letters, digits, "-", "_" and "." only, and begins with a ` +
      "letter or a digit. Choose another one",
  );
}

async function requireEmpty(folder: string, path: string): Promise<void> {
  try {
    for await (const _entry of Deno.readDir(folder)) {
      throw new ConfigurationError(
        `Cannot make a project in ${path}: the folder is not empty. Name a new folder`,
      );
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      throw new ConfigurationError(`Cannot make a project in ${path}: there is a file. Name a new folder`);
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function askForPath(io: CommandIo): string {
  const path = ask(io, "Name of the project, which is its folder, too:", "my-service");
  if (path !== undefined) return path;
  throw new ConfigurationError("Cannot make a project: it has no name. Give it one, as in new my-service");
}

function askForTemplate(io: CommandIo): TemplateName {
  const answer = ask(io, `Template, one of ${TEMPLATE_NAMES.join(", ")}:`, "rpc");
  const template = TEMPLATE_NAMES.find((name) => name === answer);
  if (template !== undefined) return template;
  throw new ConfigurationError(
    `Cannot make a project from template "${answer}": there is none. Choose one of ${
      TEMPLATE_NAMES.join(", ")
    }`,
  );
}

/** Returns what the user answers; undefined if nobody is there to answer. */
function ask({ input }: CommandIo, question: string, proposal: string): string | undefined {
  return input.ask?.(question, proposal)?.trim() || undefined;
}
