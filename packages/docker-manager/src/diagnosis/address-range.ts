/** IPv4 addresses that lie together. */
export interface AddressRange {
  readonly first: number;
  readonly count: number;
}

/** @param cidr `172.20.0.0/14` @returns undefined for anything but IPv4 */
export function addressesOf(cidr: string): AddressRange | undefined {
  const [, address, bits] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr) ?? [];
  if (address === undefined || Number(bits) > 32) return undefined;
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const count = 2 ** (32 - Number(bits));
  return { first: Math.floor(number / count) * count, count };
}

/** How many addresses both have. */
export function commonAddresses(left: AddressRange, right: AddressRange): number {
  const first = Math.max(left.first, right.first);
  const end = Math.min(left.first + left.count, right.first + right.count);
  return Math.max(0, end - first);
}
