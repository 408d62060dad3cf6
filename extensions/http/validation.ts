import { decodeJson } from "../../runtime/message/codec.ts";
import type { Payload } from "../../runtime/service/entrypoint.ts";
import { BadRequestError, BadResultError } from "../../runtime/message/errors.ts";
import { describeIssues, issuesText, type StandardSchema } from "../../runtime/service/standard_schema.ts";
import { headerPairs, type RequestHead } from "./request/head.ts";

/** Schemas for the parts of a request: zod, valibot, arktype or any other Standard Schema. */
export interface RequestSchemas {
  readonly params?: StandardSchema | undefined;
  /** Receives the texts by name. A name that is repeated has a list of texts. */
  readonly query?: StandardSchema | undefined;
  /** Receives JSON, the fields of a form, or text. This depends on the content type of the request. */
  readonly body?: StandardSchema | undefined;
}

type Part = keyof RequestSchemas;

const PARTS: readonly Part[] = ["params", "query", "body"];

/** An issue, with the part of the request that it was found in. */
interface PartIssue {
  readonly in: Part;
  readonly path: string;
  readonly message: string;
}

/**
 * Checks the parts of a request for which there are schemas.
 *
 * @throws {BadRequestError} If a part does not pass. The error has `status` 422 and the issues in `data`.
 */
export async function checkRequest(
  payload: Payload,
  head: RequestHead,
  schemas: RequestSchemas,
): Promise<Readonly<Partial<Record<Part, unknown>>>> {
  const checked: Partial<Record<Part, unknown>> = {};
  const issues: PartIssue[] = [];
  for (const part of PARTS) {
    const schema = schemas[part];
    if (schema === undefined) continue;
    const validated = schema["~standard"].validate(await READ[part](payload, head));
    const result = validated instanceof Promise ? await validated : validated;
    if (result.issues === undefined) checked[part] = result.value;
    else issues.push(...describeIssues(result.issues).map((issue) => ({ in: part, ...issue })));
  }
  if (issues.length > 0) {
    const places = issues.map(({ in: part, path, message }) =>
      `${path === "" ? part : `${part}.${path}`}: ${message}`
    );
    throw Object.assign(
      new BadRequestError(`The request is not valid: ${places.join("; ")}`, { data: { issues } }),
      { status: 422 },
    );
  }
  return checked;
}

/**
 * Checks the body of a response.
 *
 * @throws {BadResultError} If the body does not pass.
 */
export async function checkResult(body: unknown, schema: StandardSchema): Promise<unknown> {
  const result = await schema["~standard"].validate(body);
  if (result.issues === undefined) return result.value;
  throw new BadResultError(`Cannot answer a request: its result is not valid: ${issuesText(result.issues)}`, {
    data: { issues: describeIssues(result.issues) },
  });
}

const READ: Readonly<Record<Part, (payload: Payload, head: RequestHead) => unknown>> = {
  params: (_payload, { params }) => params,
  query: (_payload, { url }) => {
    const mark = url.indexOf("?");
    return fieldsOf(new URLSearchParams(mark === -1 ? "" : url.slice(mark)));
  },
  body: readBody,
};

async function readBody(payload: Payload): Promise<unknown> {
  const { body, contentType = "" } = payload;
  if (body === undefined) return undefined;
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  const response = () => new Response(body, { headers: headerPairs(["content-type", contentType]) });
  try {
    if (type === "application/json" || type.endsWith("+json")) {
      return decodeJson(typeof body === "string" ? body : await response().text());
    }
    if (type === "application/x-www-form-urlencoded" || type === "multipart/form-data") {
      return fieldsOf(await response().formData());
    }
    return typeof body === "string" ? body : await response().text();
  } catch (error) {
    throw new BadRequestError(`Cannot read the body as ${type}: ${(error as Error).message}`, {
      reason: "MalformedRequest",
    });
  }
}

/** Returns the fields by name. A name that is repeated has a list of its values. */
function fieldsOf(entries: URLSearchParams | FormData): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null);
  for (const key of new Set(entries.keys())) {
    const values = entries.getAll(key);
    fields[key] = values.length === 1 ? values[0] : values;
  }
  return { ...fields };
}
