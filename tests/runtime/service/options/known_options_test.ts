import assert from "node:assert/strict";
import { type OptionNames, requireKnown } from "../../../../runtime/service/options/known_options.ts";

const KNOWN: OptionNames<{ readonly timeout?: number } | { readonly retry?: number }> = {
  timeout: true,
  retry: true,
};

// @ts-expect-error -- the table lacks an option
const _lacking: OptionNames<{ readonly timeout?: number; readonly retry?: number }> = { timeout: true };

// @ts-expect-error -- the table has one too many
const _exceeding: OptionNames<{ readonly timeout?: number }> = { timeout: true, retry: true };

Deno.test("requireKnown() lets known options pass, whatever their values are", () => {
  requireKnown("Cannot try", "it", {}, KNOWN);
  requireKnown("Cannot try", "it", { timeout: undefined, retry: 3 }, KNOWN);
});

Deno.test("requireKnown() names the nearest option", () => {
  assert.throws(() => requireKnown("Cannot try", "it", { retry: 3, timout: 3 }, KNOWN), {
    name: "TypeError",
    message: 'Cannot try: it has no option "timout". Did you mean timeout?',
  });
});

Deno.test("requireKnown() names all options where none is near", () => {
  assert.throws(() => requireKnown("Cannot try", "it", { elsewhere: 1 }, KNOWN), {
    name: "TypeError",
    message: 'Cannot try: it has no option "elsewhere". Its options are timeout, retry',
  });
});

Deno.test("requireKnown() knows no option by the name of a member of every object", () => {
  assert.throws(() => requireKnown("Cannot try", "it", { toString: 1 }, KNOWN), TypeError);
});
