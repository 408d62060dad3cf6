import { strictEqual } from "node:assert/strict";
import { complaintAboutDeno } from "../../extensions/cli/view/deno_version.ts";

Deno.test("a Deno that is too old is told what to do", () => {
  for (const version of ["1.46.3", "2.3.99", "2.4.1", "2.4.1+abc"]) {
    strictEqual(
      complaintAboutDeno(version),
      `Cannot run on Deno ${version}: Enoki needs 2.4.2 or newer. Run deno upgrade`,
    );
  }
});

Deno.test("a Deno that is new enough is told nothing", () => {
  for (const version of ["2.4.2", "2.4.10", "2.9.6", "2.10.0-rc.1+abc", "3.0.0", Deno.version.deno]) {
    strictEqual(complaintAboutDeno(version), undefined);
  }
});
