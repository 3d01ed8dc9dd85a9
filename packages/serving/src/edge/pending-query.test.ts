import { expect, it } from "vitest";
import { firstPolicy } from "../selection/first-policy.js";
import { applicationRecord, textInput } from "../test-support/states.js";
import { PendingQuery } from "./pending-query.js";

it("cannot be settled twice", async () => {
  const pending = new PendingQuery({
    owner: { outcomeCame: () => undefined, callerGone: () => undefined },
    query: { id: 3, application: "app", inputType: "strings", input: textInput("a"), deadlineMicros: 1 },
    application: { record: applicationRecord(), policy: firstPolicy, routes: [] },
    targets: [],
    startMicros: 0,
  });
  const prediction = { queryId: 3, isDefault: true, reason: "deadline", message: "" } as const;
  pending.settle(prediction);
  expect(() => pending.settle(prediction)).toThrow("query 3 was settled twice");
  expect(await pending.promise).toBe(prediction);
});
