import { randomUUID } from "node:crypto";
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { refuseBrokenRequest } from "./broken-request.js";
import { errorAnswer } from "./error-answer.js";
import { checkMediaType, type Guard } from "./guard.js";
import { parseJsonBody } from "./json-body.js";
import { BadRequestError, MethodNotAllowedError, TooLargeError, UnknownPathError } from "./request-errors.js";
import type { Access, Answer, Route } from "./route.js";

const BODY_LIMIT_BYTES = 1_024 * 1_024;

/** One request, once it is answered. */
export interface AccessRecord {
  readonly method: string;
  /** The route's path, or "" for a path that does not exist: never what the client made up. */
  readonly route: string;
  readonly status: number;
  readonly elapsedMs: number;
  readonly requestId: string;
}

export interface HttpServerOptions {
  readonly routes: readonly Route[];
  readonly guard: Guard;
  readonly onAnswered: (record: AccessRecord) => void;
  /** Whether each answer asks for its connection to be closed: Node would keep those open that are busy when it stops to listen. */
  readonly draining: () => boolean;
  /** Told of what became a 5xx. */
  readonly onFailed: (error: unknown, requestId: string) => void;
}

interface RouteConfig {
  readonly path: string;
  readonly access: Access;
  readonly maxBodyBytes: number;
  readonly showError: NonNullable<Route["showError"]>;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const UNKNOWN: RouteConfig = {
  path: "",
  access: "token",
  maxBodyBytes: BODY_LIMIT_BYTES,
  showError: errorAnswer,
};

/** Routes over HTTP: who may ask is decided before the body is read, and whatever is thrown becomes an answer. */
export function createHttpServer({
  routes,
  guard,
  draining,
  onAnswered,
  onFailed,
}: HttpServerOptions): FastifyInstance {
  const server = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    http: { headersTimeout: 10_000 },
    routerOptions: { maxParamLength: 512 },
    exposeHeadRoutes: false,
    // While draining, a request that still comes on an open connection is answered, and told to close it.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    clientErrorHandler: refuseBrokenRequest,
    genReqId: requestId,
    frameworkErrors: (error, request, reply) => show(error, request, reply),
  });

  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, bytes, done) => done(null, bytes));

  server.addHook("onRequest", async (request, reply) => {
    reply.headers({
      "x-request-id": request.id,
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
    guard.check(request.raw, configOf(request).access);
  });
  server.addHook("onSend", async (_request, reply) => {
    if (draining()) reply.header("connection", "close");
  });
  server.addHook("onResponse", async (request, reply) => {
    onAnswered({
      method: request.method,
      route: configOf(request).path,
      status: reply.statusCode,
      elapsedMs: reply.elapsedTime,
      requestId: request.id,
    });
  });
  server.setErrorHandler((error, request, reply) => show(error, request, reply));
  server.setNotFoundHandler(async () => {
    throw new UnknownPathError();
  });

  for (const route of routes) addRoute(server, route);
  for (const [path, own] of groupByPath(routes)) refuseOtherMethods(server, path, own);
  return server;

  function show(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { showError, maxBodyBytes } = configOf(request);
    const known = fromFramework(error, maxBodyBytes);
    const answer = showError(known, request.id);
    if (answer.status >= 500) onFailed(error, request.id);
    send(reply, answer);
  }
}

function addRoute(server: FastifyInstance, route: Route): void {
  server.route({
    method: route.method,
    url: fastifyPath(route.path),
    config: configFor(route) as object,
    bodyLimit: configFor(route).maxBodyBytes,
    onRequest: async (request) => checkMediaType(request.raw),
    handler: async (request, reply) => {
      const answer = await route.handle({
        params: request.params as Record<string, string>,
        query: request.query as Record<string, string>,
        body: () => (request.body === undefined ? undefined : parseJsonBody(request.body as Buffer)),
        ifMatch: request.headers["if-match"],
      });
      if ("stream" in answer) {
        for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value!);
        await answer.stream(reply.raw);
        return reply.hijack();
      }
      send(reply, answer);
      return reply;
    },
  });
}

function refuseOtherMethods(server: FastifyInstance, path: string, routes: readonly Route[]): void {
  const allowed = routes.map(({ method }) => method);
  server.route({
    method: METHODS.filter((method) => !(allowed as readonly string[]).includes(method)),
    url: fastifyPath(path),
    config: configFor(routes[0]!) as object,
    onRequest: async (request) => {
      throw new MethodNotAllowedError({ method: request.method, allowed });
    },
    // Never reached, but asked for.
    handler: async () => undefined,
  });
}

function send(reply: FastifyReply, { status, headers = {}, body }: Answer): void {
  const type = typeof body === "object" ? "application/json; charset=utf-8" : "text/plain; charset=utf-8";
  reply.code(status);
  if (body !== undefined) reply.header("content-type", type);
  reply.headers(headers).send(typeof body === "object" ? JSON.stringify(body) : body);
}

function configFor({
  path,
  access = "token",
  maxBodyBytes = BODY_LIMIT_BYTES,
  showError = errorAnswer,
}: Route): RouteConfig {
  return { path, access, maxBodyBytes, showError };
}

function configOf(request: FastifyRequest): RouteConfig {
  const config = request.routeOptions?.config as unknown as Partial<RouteConfig> | undefined;
  return config?.path === undefined ? UNKNOWN : (config as RouteConfig);
}

function fastifyPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function groupByPath(routes: readonly Route[]): Map<string, readonly Route[]> {
  const groups = new Map<string, readonly Route[]>();
  for (const route of routes) groups.set(route.path, [...(groups.get(route.path) ?? []), route]);
  return groups;
}

/** The caller's own id, when it is harmless in a log. */
function requestId({ headers }: { headers: Record<string, string | string[] | undefined> }): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** What the framework itself refuses. */
function fromFramework(error: unknown, limitBytes: number): unknown {
  const { code, statusCode, message } = error as Partial<FastifyError>;
  if (code?.startsWith("FST_") !== true || statusCode === undefined || statusCode >= 500) return error;
  if (statusCode === 413) return new TooLargeError({ what: "the body", limitBytes });
  if (code === "FST_ERR_BAD_URL") {
    return new BadRequestError({ code: "BAD_URL", message: "the URL's percent escapes are broken" });
  }
  return new BadRequestError({
    code: "BAD_REQUEST",
    message: message ?? "the request is malformed",
    cause: error,
  });
}
