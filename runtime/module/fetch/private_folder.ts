/** The facts about a folder that say who may change its files. */
type FolderInfo = Pick<Deno.FileInfo, "uid" | "mode">;

const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Says why users other than this one could replace files in a folder; undefined if they cannot.
 *
 * The system's administrator can in any case. In a folder with the sticky bit, such as `/tmp`, everybody
 * replaces only files of their own. Windows has neither of these facts.
 */
export function dangerOf({ uid, mode }: FolderInfo, own: number | null = Deno.uid()): string | undefined {
  if (uid === null || mode === null || own === null) return undefined;
  if (uid !== own && uid !== 0) return `it belongs to user ${uid}`;
  return (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0
    ? "other users may write to it"
    : undefined;
}
