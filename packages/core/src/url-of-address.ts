import { InvalidArgumentError, parseAddress } from "@clipper-serving/spec";

/** @returns the base URL of a `tcp:` address. @throws InvalidArgumentError for any other */
export function urlOfAddress(address: string): string {
  const parsed = parseAddress(address);
  if (parsed?.kind !== "tcp") {
    throw new InvalidArgumentError({
      argument: "address",
      value: address,
      expected: "of the form tcp:HOST:PORT",
    });
  }
  const host = parsed.host.includes(":") ? `[${parsed.host}]` : parsed.host;
  return `http://${host}:${parsed.port}`;
}
