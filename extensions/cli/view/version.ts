import type { Build } from "../command_io.ts";

/** Returns the text that `--version` prints: a line for each part, with its revision if that is known. */
export function versionText(enoki: string, { revision, application }: Build = {}): string {
  const { deno, v8 } = Deno.version;
  return [
    ...(application ? [withRevision(application.name, application.revision)] : []),
    withRevision(`enoki ${enoki}`, revision),
    `deno ${deno}, v8 ${v8}, ${Deno.build.target}`,
  ].join("\n");
}

function withRevision(name: string, revision: string | undefined): string {
  return revision === undefined ? name : `${name}, revision ${revision}`;
}
