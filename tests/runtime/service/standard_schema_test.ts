import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { z } from "zod";
import { describeIssues, issuesText } from "../../../runtime/service/standard_schema.ts";

Deno.test("describeIssues() joins paths with dots, whatever their steps are", () => {
  const issues = [
    { message: "whole" },
    { message: "none", path: undefined },
    { message: "deep", path: ["rows", 0, { key: "id" }, Symbol("s")] },
  ];
  deepStrictEqual(describeIssues(issues), [
    { path: "", message: "whole" },
    { path: "", message: "none" },
    { path: "rows.0.id.Symbol(s)", message: "deep" },
  ]);
});

Deno.test("describeIssues() takes the issues of a real schema", async () => {
  const schema = z.object({ rows: z.array(z.object({ id: z.number("Not a number") })) });
  const { issues } = await schema["~standard"].validate({ rows: [{ id: 1 }, { id: "2" }] });
  deepStrictEqual(describeIssues(issues!), [{ path: "rows.1.id", message: "Not a number" }]);
});

Deno.test("issuesText() says where each issue is, unless it is the whole value", () => {
  strictEqual(
    issuesText([{ message: "whole" }, { message: "deep", path: ["rows", 0] }]),
    "whole; rows.0: deep",
  );
});
