/** This file keeps every text in the log short, so that no text from outside makes the log slow or large. */
import { maskTextSecrets } from "./secrets.ts";

/**
 * The most characters that one text has in the log: the message, each text in a property, the message of an
 * error, and the frames of its stack. A longer text is cut, and a mark says how many characters are left out.
 */
export const MAX_LOGGED_TEXT = 8_192;

/** The characters of a longer text that stay. The rest is room for the mark. */
const SHOWN = MAX_LOGGED_TEXT - 40;

/**
 * Returns the text as the log has it.
 *
 * A text is masked before it is cut, because the end of a secret, which is gone then, says that it is one.
 */
export function boundText(text: string): string {
  if (text.length <= MAX_LOGGED_TEXT) return text;
  const shown = maskTextSecrets(text.slice(0, SHOWN), true).slice(0, SHOWN).toWellFormed();
  return `${shown}… [${text.length - SHOWN} characters left out]`;
}
