import { expect, it } from "vitest";
import { addressesOf, commonAddresses } from "./address-range.js";

const range = (cidr: string) => addressesOf(cidr) ?? { first: -1, count: 0 };

it("reads IPv4 ranges, and nothing else", () => {
  expect(addressesOf("10.0.0.0/24")).toEqual({ first: 10 * 2 ** 24, count: 256 });
  expect(addressesOf("10.0.0.77/24")).toEqual(addressesOf("10.0.0.0/24"));
  expect(addressesOf("192.168.0.0/16")).toEqual({ first: 192 * 2 ** 24 + 168 * 2 ** 16, count: 65_536 });
  for (const other of ["fd00::/64", "10.0.0.0", "10.0.0.0/33", ""])
    expect(addressesOf(other)).toBeUndefined();
});

it("counts what two have in common, whichever is the larger", () => {
  expect(commonAddresses(range("172.20.0.0/14"), range("172.21.0.0/16"))).toBe(65_536);
  expect(commonAddresses(range("172.21.3.0/24"), range("172.20.0.0/14"))).toBe(256);
  expect(commonAddresses(range("172.20.0.0/16"), range("172.21.0.0/16"))).toBe(0);
});
