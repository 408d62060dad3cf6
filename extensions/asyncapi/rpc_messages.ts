/** The messages of RPC, as Nameko has them: arguments by position and by name, and a result or an error. */
import type { MethodDetails } from "../../runtime/service/described/method_details.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";

/** Schemas of the arguments and of the result, as they may stand in the document. */
export interface MethodSchemas {
  readonly input: readonly PlainRecord[];
  readonly output: PlainRecord | undefined;
}

const CORRELATION: PlainRecord = { location: "$message.header#/correlation_id" };

/** Describes the request of a method. */
export function requestMessage(
  method: string,
  { parameters = [] }: MethodDetails,
  { input }: MethodSchemas,
): PlainRecord {
  const isOpen = parameters.length === 0 || parameters.some(({ rest }) => rest);
  const named = parameters.flatMap(({ name, rest }, index): readonly (readonly [string, PlainRecord])[] =>
    name === undefined || rest ? [] : [[name, input[index] ?? {}]]
  );
  return {
    name: `${method}.request`,
    title: `Request of ${method}`,
    contentType: "application/json",
    correlationId: CORRELATION,
    payload: {
      type: "object",
      required: ["args", "kwargs"],
      properties: {
        args: {
          type: "array",
          description: "Arguments by position.",
          ...(input.length > 0 && { items: input }),
          ...(!isOpen && { maxItems: parameters.length }),
        },
        kwargs: {
          type: "object",
          description: "Arguments by name, of those that have no position.",
          ...(named.length > 0 && { properties: Object.fromEntries(named) }),
        },
      },
    },
  };
}

/** Describes the reply of a method. */
export function replyMessage(
  method: string,
  { expected = [] }: MethodDetails,
  { output }: MethodSchemas,
): PlainRecord {
  return {
    name: `${method}.reply`,
    title: `Reply of ${method}`,
    contentType: "application/json",
    correlationId: CORRELATION,
    payload: {
      type: "object",
      required: ["result", "error"],
      properties: {
        result: output === undefined
          ? { description: "The result, or null after an error." }
          : { anyOf: [output, { type: "null" }] },
        error: {
          anyOf: [{ type: "null" }, {
            type: "object",
            required: ["exc_type"],
            properties: {
              exc_type: {
                type: "string",
                description: "Name of the error's class.",
                ...(expected.length > 0 && { examples: expected }),
              },
              exc_path: { type: "string", description: "Its module in Python." },
              exc_args: { type: "array", description: "What it was made of, such as its message." },
              value: { type: "string", description: "Its message." },
            },
          }],
        },
      },
    },
  };
}
