/** Path of the C library, for calls that Deno lacks; undefined if it has no fixed place, as on Windows. */
export const LIBC: string | undefined = {
  linux: "libc.so.6",
  darwin: "/usr/lib/libSystem.dylib",
}[Deno.build.os as string];
