/** Path of the C library, for what Deno has no call for; undefined where it has no fixed place, as on Windows. */
export const LIBC: string | undefined = {
  linux: "libc.so.6",
  darwin: "/usr/lib/libSystem.dylib",
}[Deno.build.os as string];
