import { get } from "node:http";
import { parseAddress, UnreachableError } from "@clipper-serving/spec";

const ANSWER_TIMEOUT_MS = 5_000;

/** `GET path` at an address as `reach` gives it; an answer other than 2xx rejects. */
export async function getJson<Answer>(address: string, path: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const fail = (cause: unknown): void =>
    reject(new UnreachableError({ what: `GET ${path}`, address, cause }));
  const target = parseAddress(address);
  if (target === undefined) fail(`${address} is no address`);
  else {
    const where =
      target.kind === "unix" ? { socketPath: target.path } : { host: target.host, port: target.port };
    const request = get({ ...where, path, agent: false, timeout: ANSWER_TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(JSON.parse(text) as Answer);
        else fail(`${response.statusCode}: ${text}`);
      });
    });
    request.on("timeout", () => request.destroy());
    request.on("error", fail);
  }
  return await promise;
}
