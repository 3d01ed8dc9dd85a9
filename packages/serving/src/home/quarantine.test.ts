import { expect, it } from "vitest";
import { InputKey } from "../cache/input-key.js";
import { Quarantine } from "./quarantine.js";

const TEN_MINUTES = 600_000_000;
const a = key(-1);

function key(input: number): InputKey {
  return new InputKey(input, 0, 0, 0);
}

it("keeps an input away after two deaths, for ten minutes", () => {
  const quarantine = new Quarantine();
  expect(quarantine.recordDeath(a, 0)).toBe("suspicious");
  expect(quarantine.suspicionOf(a, 1)).toBe("suspicious");
  expect(quarantine.recordDeath(a, 1)).toBe("quarantined");
  expect(quarantine.countQuarantined(2)).toBe(1);
  expect(quarantine.suspicionOf(a, TEN_MINUTES)).toBe("quarantined");
  expect(quarantine.suspicionOf(a, TEN_MINUTES + 1)).toBe("none");
});

it("forgets a death once the input was answered", () => {
  const quarantine = new Quarantine();
  quarantine.recordDeath(a, 0);
  quarantine.acquit(a);
  expect(quarantine.recordDeath(a, 1)).toBe("suspicious");
});

it("remembers ten thousand inputs, the latest", () => {
  const quarantine = new Quarantine();
  for (let input = 0; input <= 10_000; input++) quarantine.recordDeath(key(input), 0);
  expect(quarantine.suspicionOf(key(0), 1)).toBe("none");
  expect(quarantine.suspicionOf(key(1), 1)).toBe("suspicious");
});
