import type { FieldTable, FieldValue, Message } from "@enoki/enoki";
import type { Binding, ExchangeRecord } from "./records.ts";
import { topicMatches } from "./topic_pattern.ts";

/** Returns the queues that an exchange gives a message to, each of them once. */
export function queuesFor({ type, bindings }: ExchangeRecord, message: Message): readonly string[] {
  const { routingKey, properties: { headers = {} } } = message;
  const fits = (binding: Binding): boolean => {
    switch (type) {
      case "direct":
        return binding.routingKey === routingKey;
      case "topic":
        return topicMatches(binding.routingKey, routingKey);
      case "fanout":
        return true;
      case "headers":
        return headersMatch(binding.arguments ?? {}, headers);
    }
  };
  return [...new Set(bindings.filter(fits).map(({ queue }) => queue))];
}

/** By `x-match`, `all` or `any` of the other arguments must be headers. The value null fits every header. */
function headersMatch(wanted: FieldTable, headers: FieldTable): boolean {
  const match = String(wanted["x-match"] ?? "all");
  const all = match.startsWith("all");
  for (const [key, value] of Object.entries(wanted)) {
    if (key === "x-match" || (key.startsWith("x-") && !match.endsWith("-with-x"))) continue;
    const header = headers[key];
    const fits = header !== undefined && (value === null || sorted(value) === sorted(header));
    if (fits !== all) return fits;
  }
  return all;
}

/** Writes a value so that the order of keys does not matter. */
function sorted(value: FieldValue): string {
  return JSON.stringify(
    value,
    (_key, each) =>
      typeof each === "object" && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).toSorted(([one], [other]) => one < other ? -1 : 1))
        : each,
  );
}
