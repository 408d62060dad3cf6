import { readFileSync } from "node:fs";
import { ConfigurationError } from "../../../runtime/message/errors.ts";

/**
 * Reads a PEM file.
 *
 * @param setting Name of the setting that has the path, such as `HTTP_TLS.cert`, for the message.
 * @throws {ConfigurationError} If the file cannot be read.
 */
export function readPem(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigurationError(`Cannot read ${setting} ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Tells by the message whether an error is about a PEM file, since such errors have several classes. */
export function isAboutPem(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof ConfigurationError) &&
    /\b(?:keys?|cert|certificates?|PEM)\b/i.test(error.message);
}
