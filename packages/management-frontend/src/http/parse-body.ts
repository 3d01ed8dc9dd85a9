import type { z } from "zod";
import { BadRequestError } from "./request-errors.js";
import { suggestion } from "./suggestion.js";

/**
 * @returns what the schema makes of the body
 * @throws BadRequestError `EMPTY_BODY`, `NOT_OBJECT`, `UNKNOWN_KEY` with the key meant, or `INVALID_ARGUMENT` with the field's path
 */
export function parseBody<Schema extends z.ZodObject>(schema: Schema, body: unknown): z.output<Schema> {
  if (body === undefined) {
    throw new BadRequestError({
      code: "EMPTY_BODY",
      message: "there is no body; it must be a JSON object",
    });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new BadRequestError({ code: "NOT_OBJECT", message: "the body must be a JSON object" });
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  // A misspelt key is also a missing one; its own name says more.
  const { issues } = parsed.error;
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    // Only the outermost object's keys are known here; a nested one names its path instead.
    const meant = path === "" ? suggestion(key, Object.keys(schema.shape)) : undefined;
    throw new BadRequestError({
      code: "UNKNOWN_KEY",
      message: `${JSON.stringify(path === "" ? key : `${path}.${key}`)} is not a key of this request`,
      hint:
        meant === undefined
          ? `its keys are ${Object.keys(schema.shape).join(", ")}`
          : `did you mean ${JSON.stringify(meant)}?`,
      facts: { key, ...(meant === undefined ? {} : { suggestion: meant }) },
    });
  }
  throw new BadRequestError({
    code: "INVALID_ARGUMENT",
    message: `${path === "" ? "the body" : path}: ${issue.message}`,
    facts: { argument: path },
  });
}
