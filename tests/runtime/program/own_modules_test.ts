import assert from "node:assert/strict";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";
import { OWN_FOLDER, requireHeld } from "../../../runtime/program/own_modules.ts";

const ABSENT = `${OWN_FOLDER}extensions/absent/mod.ts`;

Deno.test("requireHeld() lets a module pass that is there", () => {
  requireHeld(`${OWN_FOLDER}mod.ts`, "file:///orders.ts", false);
});

Deno.test("requireHeld() says how to build a binary of a service that needs what is not there", () => {
  assert.throws(() => requireHeld(ABSENT, "file:///orders.ts", false), (error: unknown) => {
    assert.ok(error instanceof ServiceLoadError);
    assert.match(error.message, /^Cannot import .*: this binary does not hold that part/);
    assert.match(
      error.message,
      /a binary of the service with enoki compile file:\/\/\/orders\.ts, or .* --with /,
    );
    return true;
  });
});

Deno.test("requireHeld() says how to build a binary of an extension, too", () => {
  assert.throws(
    () => requireHeld(ABSENT, "file:///nest.ts", true),
    /with enoki compile --extension file:\/\/\/nest\.ts <module>/,
  );
});
