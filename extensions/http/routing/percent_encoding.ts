/**
 * The one spelling of a path among those that mean the same (RFC 3986, 6.2.2): what need not be encoded is not, and
 * what is has capitals.
 */
export function normalizePath(path: string): string {
  return path.includes("%") ? path.replaceAll(ENCODED, normalize) : path;
}

const ENCODED = /%[\dA-Fa-f]{2}/g;

const UNRESERVED = /[\w.~-]/;

function normalize(code: string): string {
  const letter = String.fromCharCode(Number.parseInt(code.slice(1), 16));
  return UNRESERVED.test(letter) ? letter : code.toUpperCase();
}
