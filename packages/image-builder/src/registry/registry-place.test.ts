import { expect, it } from "vitest";
import { placeOf } from "./registry-place.js";

it.each([
  ["http://r.example/v2/a?state=1", "https://r.example", "https://r.example/v2/a?state=1"],
  ["http://r.example:5000/v2/a", "https://r.example:5000", "https://r.example:5000/v2/a"],
  ["https://r.example/v2/a", "https://R.example:443", "https://r.example/v2/a"],
  // Somebody else's, and one that is spoken to in the clear anyway.
  ["http://storage.example/a", "https://r.example", "http://storage.example/a"],
  ["http://r.example/v2/a", "http://r.example", "http://r.example/v2/a"],
])("%s, said by %s, is %s", (location, own, expected) => {
  expect(placeOf(new URL(location), new URL(own)).href).toBe(expected);
});
