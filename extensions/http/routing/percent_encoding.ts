/**
 * Gives all paths that mean the same one spelling (RFC 3986, 6.2.2). It decodes each character that needs no
 * encoding, and writes the other codes with capital letters.
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
