/**
 * Looks into the modules that a service makes at run time, as `data:` or `blob:` URLs.
 *
 * Before the first of our hooks sees what such a module imports, Deno has followed its imports, downloaded their
 * packages and written them into its lock file. So the packages have to be found before, in the text. The
 * search does not parse, because the text may be JavaScript, TypeScript, JSX or WebAssembly. It undoes all that
 * could hide a name, and refuses what it cannot read.
 */

/** Names of packages in the code of a module, the way to write them in the module's own imports. */
export function packagesIn(code: string): readonly string[] {
  return code.match(PACKAGE_REGEXP) ?? [];
}

/**
 * Returns the code of a `data:` module, in a form in which each name that it imports stands as it is meant.
 *
 * @throws {Deno.errors.NotCapable} If the code cannot be read, or imports another module of this kind.
 */
export function dataModuleCode(url: URL): string {
  if (url.protocol === "blob:") throw refusal("it is a blob: URL. Use a data: URL");
  const [, head, body] = DATA_REGEXP.exec(url.href) ?? [];
  if (head === undefined || body === undefined) {
    throw refusal("its type has other parts than a charset, utf-8. Leave them out");
  }
  const text = percentDecoded(body);
  const code = unescaped(/;base64$/i.test(head) ? base64Decoded(text) : text);
  if (NESTED_REGEXP.test(code) && IMPORT_REGEXP.test(code)) {
    throw refusal("it names another data: or blob: URL. Import that by itself");
  }
  return code;
}

/** Has no form but the usual ones: a charset that is not like ASCII would hide names. */
const DATA_REGEXP = /^data:([\w.+/-]*(?:; ?charset=(?:utf-8|us-ascii))?(?:;base64)?),(.*)$/is;

const PACKAGE_REGEXP = /(?:npm|jsr):[^"'`\s]*/gi;

const NESTED_REGEXP = /(?:data|blob):/i;

/** Matches a word without which no module imports anything; JSX names what it needs in a comment. */
const IMPORT_REGEXP = /import|from/i;

/** Gives a character for each byte, as the names of packages have none that take more. */
function percentDecoded(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_all, hex) => String.fromCharCode(parseInt(hex, 16)));
}

function base64Decoded(text: string): string {
  try {
    return atob(text);
  } catch {
    throw refusal("it is not valid base64. Check it");
  }
}

/** Undoes the escapes of strings, and takes away the characters that a URL may have anywhere. */
function unescaped(code: string): string {
  return code
    .replace(
      /\\(?:x([\da-f]{2})|u([\da-f]{4})|u\{0*([\da-f]{1,6})\}|([tnrvfb0])|([^]))/gi,
      (_all, byte, unit, point, blank, other) => {
        if (blank !== undefined && blank === blank.toLowerCase()) return "";
        const hex = byte ?? unit ?? point;
        if (hex === undefined) return blank ?? other;
        const number = parseInt(hex, 16);
        return number <= 0x10ffff ? String.fromCodePoint(number) : "";
      },
    )
    .replaceAll(/[\0\t\n\r]/g, "");
}

function refusal(reason: string): Error {
  return new Deno.errors.NotCapable(`Cannot import a module that was made at run time: ${reason}`);
}
