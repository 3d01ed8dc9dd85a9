import fc from "fast-check";
import { expect, it } from "vitest";
import { Ring } from "./ring.js";

it("hands out places that never overlap, and all of them again once they are given back oldest first", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 200 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 20, max: 60 }), (wanted, capacity) => {
      const ring = new Ring(capacity);
      const taken: { place: number; units: number }[] = [];
      for (const units of wanted) {
        let place = ring.take(units);
        while (place === undefined) {
          const oldest = taken.shift()!;
          expect(ring.oldest).toBe(oldest.place);
          ring.drop(oldest.units);
          place = ring.take(units);
        }
        expect(place + units).toBeLessThanOrEqual(capacity);
        for (const other of taken) {
          expect(place + units <= other.place || place >= other.place + other.units).toBe(true);
        }
        taken.push({ place, units });
        const unitsOf = (at: number) => taken.find((each) => each.place === at)!.units;
        expect([...ring.places(unitsOf)]).toEqual(taken.map((each) => each.place));
      }
      for (const { units } of taken) ring.drop(units);
      expect(ring.take(capacity)).toBe(0);
    }),
  );
});
