/**
 * This file makes texts from outside harmless for a terminal, which obeys the control characters that it gets.
 *
 * JSON may contain control characters only in its strings, and the escapes here are JSON's. So the functions
 * can take whole JSON texts.
 */

// deno-lint-ignore no-control-regex -- these are the characters to escape
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;
// deno-lint-ignore no-control-regex -- these are the characters to escape
const CONTROL_IN_LINES = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/** Escapes the characters that control a terminal, end a line or change the direction of the writing. */
export function escapeControls(text: string): string {
  return text.replace(CONTROL, escapeOf);
}

/** Does the same as {@linkcode escapeControls} with a text of several lines: line breaks and tabs stay. */
export function escapeControlsInLines(text: string): string {
  return text.replace(CONTROL_IN_LINES, escapeOf);
}

function escapeOf(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
