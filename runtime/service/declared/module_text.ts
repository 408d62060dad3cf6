/** The text of one module. */
export interface ModuleText {
  readonly url: string;
  readonly language: "ts" | "tsx" | "js" | "jsx";
  readonly text: string;
}

const LANGUAGES: Readonly<Record<string, ModuleText["language"]>> = {
  ts: "ts",
  mts: "ts",
  cts: "ts",
  tsx: "tsx",
  js: "js",
  mjs: "js",
  cjs: "js",
  jsx: "jsx",
};

const DATA_REGEXP = /^data:(?:text|application)\/(?:x-)?(typescript|tsx|javascript|jsx)/i;

const BY_DATA_TYPE: Readonly<Record<string, ModuleText["language"]>> = {
  typescript: "ts",
  tsx: "tsx",
  javascript: "js",
  jsx: "jsx",
};

/**
 * Reads the text of a module.
 *
 * @param place Path of a file, or a `file:` or `data:` URL.
 * @param readFile Reads a file. It may reject.
 * @returns Undefined if the module is no code, or not there.
 */
export async function readModuleText(
  place: string,
  readFile: (path: string | URL) => Promise<string>,
): Promise<ModuleText | undefined> {
  const type = DATA_REGEXP.exec(place)?.[1]?.toLowerCase();
  const language = type === undefined ? LANGUAGES[/\.(\w+)$/.exec(place)?.[1] ?? ""] : BY_DATA_TYPE[type];
  if (language === undefined) return undefined;
  try {
    const text = type !== undefined
      ? await (await fetch(place)).text()
      : await readFile(place.startsWith("file:") ? new URL(place) : place);
    return { url: type === undefined ? place : "the data: module", language, text };
  } catch {
    // A file that only an `import()` names may be absent.
    return undefined;
  }
}
