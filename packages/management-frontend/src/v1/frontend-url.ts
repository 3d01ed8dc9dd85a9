import { isIP } from "node:net";
import { BadRequestError } from "../http/request-errors.js";

/** @throws BadRequestError `URL_DENIED`: people and Prometheus follow it, so it must be a plain address of a frontend */
export function checkFrontendUrl(text: string): void {
  if (text === "") return;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const allowed =
    url !== undefined &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.username === "" &&
    url.password === "" &&
    !isLinkLocal(url.hostname);
  if (allowed) return;
  throw new BadRequestError({
    code: "URL_DENIED",
    message: "url must be empty, or http(s)://host[:port] without credentials and not link-local",
    facts: { argument: "url" },
  });
}

/** Where clouds keep the credentials of their machines. */
function isLinkLocal(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, "");
  return isIP(address) === 4
    ? address.startsWith("169.254.")
    : isIP(address) === 6 && /^(?:fe[89ab]|::ffff:a9fe)/i.test(address);
}
