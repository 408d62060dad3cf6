/** What a thread asks the main thread about its connections. */
export type PermitQuestion =
  /** Says that a holder exists. It is never answered: when the thread is lost, so is the holder. */
  | readonly ["join", holder: string]
  /** Asks for a permit. It is answered when there is one. */
  | readonly ["take", holder: string, number: number]
  /** Gives a permit back, or ends the wait for it. */
  | readonly ["give", holder: string, number: number]
  /** Asks for news of others that wait. The answer is the number for the next such question. */
  | readonly ["wanted", holder: string, heard: number]
  /** Asks whether the holder may keep a permit that it does not use. */
  | readonly ["keep", holder: string];

const NAME = /^[0-9a-f-]{36}$/;

/** Reads what a thread asks; undefined if no honest thread asks that. */
export function readQuestion(body: string | Uint8Array): PermitQuestion | undefined {
  if (typeof body !== "string" || body.length > 100) return undefined;
  let question: unknown;
  try {
    question = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!Array.isArray(question)) return undefined;
  const [what, holder, number] = question;
  if (typeof holder !== "string" || !NAME.test(holder)) return undefined;
  const isKnown = what === "join" || what === "keep"
    ? question.length === 2
    : (what === "take" || what === "give" || what === "wanted") && Number.isSafeInteger(number);
  return isKnown ? question as unknown as PermitQuestion : undefined;
}
