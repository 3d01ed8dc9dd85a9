import fc from "fast-check";
import { expect, it } from "vitest";
import { flightUntil } from "../test-support/flights.js";
import type { Flight } from "./flight.js";
import { ModelQueue } from "./model-queue.js";

type Step = { kind: "push"; deadline: number } | { kind: "pop" } | { kind: "remove" | "move"; at: number };

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ kind: fc.constant("push" as const), deadline: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ kind: fc.constant("pop" as const) }),
    fc.record({ kind: fc.constantFrom("remove" as const, "move" as const), at: fc.nat() }),
  ),
  { maxLength: 200 },
);

it("always has the earliest deadline first, whatever is pushed, moved and taken from its middle", () => {
  fc.assert(
    fc.property(steps, (history) => {
      const queue = new ModelQueue({ limitBytes: 1e9 });
      const model: Flight[] = [];
      const take = (flight: Flight): void => {
        queue.remove(flight);
        model.splice(model.indexOf(flight), 1);
        expect(flight.heapIndex).toBe(-1);
      };
      for (const step of history) {
        if (step.kind === "push") {
          const flight = flightUntil(step.deadline);
          queue.push(flight);
          model.push(flight);
        } else if (model.length > 0) {
          if (step.kind === "pop") take(queue.first!);
          else if (step.kind === "remove") take(model[step.at % model.length]!);
          else {
            const flight = model[step.at % model.length]!;
            flight.deadlineMicros = step.at % 50;
            queue.moved(flight);
          }
        }
        expect(queue.length).toBe(model.length);
        const earliest = Math.min(...model.map(({ deadlineMicros }) => deadlineMicros));
        expect(queue.first?.deadlineMicros ?? Number.POSITIVE_INFINITY).toBe(earliest);
      }
      for (const flight of [...model]) take(flight);
      expect(queue.bytes).toBe(0);
    }),
  );
});

it("is bounded in bytes and in number", () => {
  const byBytes = new ModelQueue({ limitBytes: 10_000 });
  while (byBytes.hasRoomFor(500)) byBytes.push(flightUntil(1, 500));
  expect(byBytes.bytes).toBeLessThanOrEqual(10_000);
  expect(byBytes.length).toBeGreaterThan(5);
  expect(byBytes.hasRoomFor(10_001)).toBe(false);

  const byNumber = new ModelQueue({ limitBytes: 1e9, limitFlights: 3 });
  while (byNumber.hasRoomFor(0)) byNumber.push(flightUntil(1, 0));
  expect(byNumber.length).toBe(3);
});
