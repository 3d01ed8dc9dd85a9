import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ConflictError, NotFoundError, RefusedError, UnreachableError } from "@clipper-serving/spec";
import { afterEach, describe, expect, it } from "vitest";
import { HttpClient, type HttpRequest } from "./http-client.js";

describe("HttpClient", () => {
  let server: Server | undefined;
  let client: HttpClient | undefined;

  afterEach(async () => {
    await client?.close();
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  });

  async function serve(listener: RequestListener, patienceMs = 0): Promise<HttpClient> {
    const port = await listenOn(0, listener);
    client = new HttpClient({
      url: `http://127.0.0.1:${port}`,
      token: "t0ken",
      what: "the test server",
      timeoutMs: 2_000,
      patienceMs,
    });
    return client;
  }

  async function listenOn(port: number, listener: RequestListener): Promise<number> {
    const started = createServer(listener);
    server = started;
    await new Promise<void>((resolve) => started.listen(port, "127.0.0.1", resolve));
    return (started.address() as AddressInfo).port;
  }

  async function endServer(): Promise<void> {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  }

  const answering = (status: number, body: unknown) =>
    serve((_request, response) => response.writeHead(status).end(JSON.stringify(body)));

  it("sends JSON and the token, and gives the parsed answer", async () => {
    const seen: unknown[] = [];
    const http = await serve((request, response) => {
      let text = "";
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        seen.push(request.method, request.url, request.headers.authorization, JSON.parse(text));
        response.end('{"ok":true}');
      });
    });
    expect(await http.send({ method: "PUT", path: "/v1/x", body: { a: 1 } })).toEqual({ ok: true });
    expect(seen).toEqual(["PUT", "/v1/x", "Bearer t0ken", { a: 1 }]);
  });

  it.each([
    [404, NotFoundError],
    [409, ConflictError],
    [412, ConflictError],
    [401, RefusedError],
    [403, RefusedError],
  ])("turns %i into its typed error, with the server's code, hint and facts", async (status, kind) => {
    const http = await answering(status, {
      error: "E",
      cause: "it is so",
      code: "CODE",
      hint: "do this",
      facts: { name: "n" },
    });
    const error = await http.send({ method: "GET", path: "/" }).catch((thrown: unknown) => thrown);
    expect(kind.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ message: "it is so", hint: "do this" });
  });

  it("takes Clipper's 400 for an unknown version as what it means", async () => {
    const http = await answering(400, {
      error: "Query processing error",
      cause: "no such",
      code: "UNKNOWN_VERSION",
    });
    const error = await http.send({ method: "GET", path: "/" }).catch((thrown: unknown) => thrown);
    expect(NotFoundError.isInstance(error)).toBe(true);
  });

  it("finds undefined where the answer is 404", async () => {
    const http = await answering(404, { error: "E", cause: "none", code: "NOT_FOUND" });
    expect(await http.find("/v1/x")).toBeUndefined();
  });

  it("says what could not be reached, and where", async () => {
    const http = await answering(200, {});
    server?.close();
    server?.closeAllConnections();
    const error = await http.send({ method: "GET", path: "/" }).catch((thrown: unknown) => thrown);
    expect(UnreachableError.isInstance(error)).toBe(true);
    expect((error as Error).message).toContain(http.url);
  });

  describe("with patience", () => {
    const PATIENCE_MS = 20_000;

    it("waits for nothing that will not come back", async () => {
      const url = (await serve(() => {})).url;
      await endServer();
      const gone = new UnreachableError({ code: "CLUSTER_STOPPED", what: "the cluster" });
      const whyGone = async () => gone;
      const http = new HttpClient({ url, what: "the test server", patienceMs: PATIENCE_MS, whyGone });
      await expect(http.send({ method: "GET", path: "/" })).rejects.toBe(gone);
      await http.close();
    });

    it("sends anything again that was never sent, once the server is back", async () => {
      const http = await serve(() => {}, PATIENCE_MS);
      await endServer();
      const sent = http.send({ method: "POST", path: "/", body: {} });
      await listenOn(Number(new URL(http.url).port), (_request, response) => response.end('"back"'));
      expect(await sent).toBe("back");
    });

    it.each<[HttpRequest, number]>([
      [{ method: "GET", path: "/" }, 2],
      [{ method: "PUT", path: "/", body: {} }, 2],
      [{ method: "POST", path: "/", body: {}, repeatable: true }, 2],
      [{ method: "POST", path: "/", body: {} }, 1],
      [{ method: "PUT", path: "/", body: {}, ifMatch: 3 }, 1],
      [{ method: "DELETE", path: "/" }, 1],
    ])(
      "sends what may have been heard again only where that changes nothing: case %#",
      async (httpRequest, times) => {
        let heard = 0;
        const http = await serve((request, response) => {
          heard += 1;
          if (heard === 1) request.socket.destroy();
          else response.end("{}");
        }, PATIENCE_MS);
        const outcome = await http.send(httpRequest).then(
          () => "answered",
          (error: unknown) => (UnreachableError.isInstance(error) ? "unreachable" : error),
        );
        expect([outcome, heard]).toEqual([times === 2 ? "answered" : "unreachable", times]);
      },
    );

    it("waits no longer than the signal lets it", async () => {
      const http = await serve(() => {}, PATIENCE_MS);
      await endServer();
      const controller = new AbortController();
      const reason = new RangeError("enough");
      const sent = http.send({ method: "GET", path: "/", signal: controller.signal });
      setImmediate(() => controller.abort(reason));
      await expect(sent).rejects.toBe(reason);
    });
  });

  it("rejects with the signal's reason when aborted under way", async () => {
    const http = await serve(() => {});
    const controller = new AbortController();
    const reason = new Error("enough");
    const sent = http.send({ method: "GET", path: "/", signal: controller.signal });
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
  });
});
