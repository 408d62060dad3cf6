import { deepStrictEqual } from "node:assert/strict";
import { AUDIT_MARK } from "../../../runtime/channel/audit_marks.ts";
import { TestFolder } from "../../fixtures/module_origin.ts";

/** Starts programs with their options at each place where `node:child_process` takes them. */
const PROGRAM = `
import childProcess from "node:child_process";
import { markCalls } from "${import.meta.resolve("../../../runtime/thread/closing/audited_calls.ts")}";

markCalls();
childProcess.spawnSync("true");
childProcess.spawnSync("true", [], { shell: "/bin/sh" });
childProcess.spawnSync("true", { shell: "/bin/sh" });
childProcess.spawnSync("true", undefined, { shell: true });
childProcess.spawnSync("true", null, { shell: true });
childProcess.execFileSync("true", undefined, { shell: true });
`;

Deno.test("the audit names the program that is started, wherever the options of its start stand", async () => {
  await using folder = new TestFolder();
  const [program, audit] = [folder.file("starts.ts"), folder.file("audit")];
  await Deno.writeTextFile(program, PROGRAM);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program],
    env: { DENO_AUDIT_PERMISSIONS: audit },
  }).output();
  deepStrictEqual([success, new TextDecoder().decode(stderr)], [true, ""]);
  const lines = (await Deno.readTextFile(audit)).trim().split("\n").map((line) => JSON.parse(line));
  const mark = `${AUDIT_MARK}run:`;
  const programs = lines.map(({ value }) => String(value)).filter((value) => value.startsWith(mark))
    .map((value) => decodeURIComponent(value.slice(mark.length)));
  deepStrictEqual(programs, ["true", ...Array(5).fill("/bin/sh")]);
});
