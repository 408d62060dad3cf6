/**
 * Channels of the Bayeux protocol and patterns of channels (Bayeux 1.0, section 2.2).
 *
 * A pattern is a channel whose last segment is `*`, for one segment, or `**`, for one or more.
 */

/** Characters of a segment. Servers take more than the protocol names, so only what divides and commands is out. */
const SEGMENT = /^[^/*\s"\\\p{Cc}]+$/u;

/** Largest number of characters of a channel. */
const LONGEST = 1_000;

/** Says why one cannot subscribe to a channel; undefined if one can. */
export function channelFault(channel: unknown): string | undefined {
  if (typeof channel !== "string") return "a channel is a text such as /foo/bar";
  if (channel.length > LONGEST) return `it is longer than ${LONGEST} characters`;
  if (!channel.startsWith("/")) return "a channel begins with a slash, such as /foo/bar";
  const segments = channel.slice(1).split("/");
  const last = segments.pop()!;
  if (segments[0] === "meta") return "channels below /meta belong to the protocol";
  if (last !== "*" && last !== "**") segments.push(last);
  const wrong = segments.find((segment) => !SEGMENT.test(segment));
  if (wrong === undefined) return undefined;
  if (wrong === "") return "it has an empty segment. Leave out the slash at the end, or one of two slashes";
  return wrong.includes("*")
    ? "a wildcard, * or **, stands for whole segments, and only at the end, such as /foo/* or /foo/**"
    : `its segment ${Deno.inspect(wrong)} has a character that channels do not have`;
}

/** Says whether a message of `channel` is meant by a pattern. */
export function matchesChannel(pattern: string, channel: string): boolean {
  if (pattern.endsWith("/**")) return startsBelow(channel, pattern.slice(0, -2));
  if (!pattern.endsWith("/*")) return pattern === channel;
  const parent = pattern.slice(0, -1);
  return startsBelow(channel, parent) && !channel.includes("/", parent.length);
}

function startsBelow(channel: string, parent: string): boolean {
  return channel.length > parent.length && channel.startsWith(parent);
}
