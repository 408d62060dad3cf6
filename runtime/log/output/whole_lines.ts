/** The longest line that is passed on in one piece, in UTF-16 code units. */
const LONGEST_LINE = 1024 * 1024;

/**
 * Passes a text on in whole lines, several at a time if they arrive together, so that the lines of several processes do
 * not mix. A last line without an end gets one. Resolves when the text ends.
 *
 * @param write Takes the lines, with the line break of the last one.
 */
export async function passLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  write: (lines: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const end = text.lastIndexOf("\n") + 1;
    if (end > 0) write(rest + text.slice(0, end));
    rest = end > 0 ? text.slice(end) : rest + text;
    if (rest.length < LONGEST_LINE) continue;
    write(`${rest}\n`);
    rest = "";
  }
  if (rest !== "") write(`${rest}\n`);
}
