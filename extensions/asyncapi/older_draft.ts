import { isRecord, type Plain, type PlainRecord } from "../../runtime/message/plain.ts";

/** Writes a schema of draft 2020-12 as one of draft 7, which AsyncAPI has: tuples are what differs. */
export function olderDraft(schema: PlainRecord): PlainRecord {
  const { prefixItems, items, ...others } = schema;
  const older = Object.fromEntries(Object.entries(others).map(([key, value]) => [key, within(value)]));
  if (Array.isArray(prefixItems)) {
    older["items"] = prefixItems.map(within);
    if (items !== undefined) older["additionalItems"] = within(items);
  } else if (items !== undefined) older["items"] = within(items);
  return older;
}

function within(value: Plain): Plain {
  if (Array.isArray(value)) return value.map(within);
  return isRecord(value) ? olderDraft(value as PlainRecord) : value;
}
