import type { Applications, ServedApplication } from "../applications.js";
import type { EdgeFault, EdgeHandler, EdgeRequest, EdgeResponse } from "../edge/http-edge.js";
import type { FrontendMetrics } from "../metrics/frontend-metrics.js";
import type { CallerGuard } from "./caller-guard.js";
import { type ErrorAnswer, errorAnswer } from "./error-answer.js";
import { parsePath } from "./path.js";
import type { PredictRoute } from "./predict-route.js";
import { faultError, RequestError } from "./request-error.js";
import type { RequestIds } from "./request-ids.js";
import type { SystemRoutes } from "./system-routes.js";

export interface RouterOptions {
  readonly applications: Applications;
  readonly guard: CallerGuard;
  readonly predict: PredictRoute;
  readonly system: SystemRoutes;
  readonly metrics: FrontendMetrics;
  readonly requestIds: RequestIds;
  /** Whether any state was ever applied: before that, no application is unknown. */
  readonly hasState: () => boolean;
  readonly onUnexpected: (error: unknown, requestId: string) => void;
}

/** Finds who answers a request, and refuses what nobody does. */
export class Router {
  readonly #options: RouterOptions;
  readonly handle: EdgeHandler = (request) => this.#handle(request);

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** What an edge answers by itself; counted like every refused query, because a query is what it mostly was. */
  refuse(fault: EdgeFault): EdgeResponse {
    const { metrics, requestIds } = this.#options;
    const { response, code, status } = errorAnswer(faultError(fault), requestIds.next());
    const counters = metrics.application("");
    counters.accepted += 1;
    metrics.refused(counters, code, status, 1);
    metrics.answered("none", status);
    return response;
  }

  #handle(request: EdgeRequest): void {
    const { applications, guard, predict } = this.#options;
    const application = applications.byPredictTarget(request.target);
    try {
      if (application !== undefined && request.method === "POST") {
        guard.check(request);
        predict.handle(request, application);
      } else {
        this.#find(request);
      }
    } catch (error) {
      this.#refuse(request, error, application);
    }
  }

  #find(request: EdgeRequest): void {
    const { segments, authority } = parsePath(request.target);
    this.#options.guard.check(request, authority);
    if (request.method === "CONNECT") throw methodNotAllowed();
    const [first = "", second, third, ...more] = segments;
    const isApplicationsOwn = more.length === 0 && (third === undefined || third === "");
    if (isApplicationsOwn && second === "predict") this.#predict(request, first);
    else if (isApplicationsOwn && second === "update")
      this.#refuseSystem(request, this.#noUpdate(request, first));
    else if (segments.length === 2 && second === "readyz") this.#applicationReady(request, first);
    else this.#system(request, `/${segments.join("/")}`);
  }

  #predict(request: EdgeRequest, name: string): void {
    const application = this.#options.applications.byName(name);
    try {
      if (application === undefined) throw this.#unknown(name);
      if (request.method !== "POST") throw methodNotAllowed("POST");
      this.#options.predict.handle(request, application);
    } catch (error) {
      this.#refuse(request, error, application);
    }
  }

  #noUpdate(request: EdgeRequest, name: string): RequestError {
    if (this.#options.applications.byName(name) === undefined) return this.#unknown(name);
    if (request.method !== "POST") return methodNotAllowed("POST");
    return new RequestError(
      "FEEDBACK_UNSUPPORTED",
      "no selection policy of this frontend learns from feedback",
    );
  }

  #applicationReady(request: EdgeRequest, name: string): void {
    const application = this.#options.applications.byName(name);
    if (application === undefined) this.#refuseSystem(request, this.#unknown(name));
    else this.#give(request, "readyz", this.#options.system.applicationReady(application.record));
  }

  #system(request: EdgeRequest, path: string): void {
    const route = this.#options.system.find(path);
    if (route === undefined) throw new RequestError("NOT_FOUND", "nothing is at this path");
    if (request.method !== "GET" && request.method !== "HEAD") {
      this.#refuseSystem(request, methodNotAllowed("GET, HEAD"));
      return;
    }
    route.answer().then(
      (response) => this.#give(request, route.name, response),
      (error: unknown) => this.#refuseSystem(request, error),
    );
  }

  #give(request: EdgeRequest, route: string, response: EdgeResponse): void {
    if (request.answer(response)) this.#options.metrics.answered(route, response.status);
  }

  #unknown(name: string): RequestError {
    if (!this.#options.hasState()) {
      return new RequestError("NOT_READY", "the frontend has no state yet", {
        hint: "it waits for the management frontend; ask again",
      });
    }
    return new RequestError("UNKNOWN_APP", `there is no application ${JSON.stringify(name.slice(0, 80))}`);
  }

  /** What is asked of no system route is a query, however wrong. */
  #refuse(request: EdgeRequest, error: unknown, application: ServedApplication | undefined): void {
    const { metrics } = this.#options;
    const counters = application?.counters ?? metrics.application("");
    const { response, code, status } = this.#error(request, error);
    counters.accepted += 1;
    if (request.answer(response)) {
      metrics.answered(application === undefined ? "none" : "predict", status);
      metrics.refused(counters, code, status, 1);
    } else counters.cancelled += 1;
  }

  #refuseSystem(request: EdgeRequest, error: unknown): void {
    this.#give(request, "none", this.#error(request, error).response);
  }

  #error(request: EdgeRequest, error: unknown): ErrorAnswer {
    const { requestIds, onUnexpected } = this.#options;
    const requestId = requestIds.accepted(request.requestId) ?? requestIds.next();
    const allow = RequestError.isInstance(error) ? error.facts.allow : undefined;
    const answer = errorAnswer(error, requestId, typeof allow === "string" ? ["Allow", allow] : []);
    if (answer.code === "INTERNAL") onUnexpected(error, requestId);
    return answer;
  }
}

function methodNotAllowed(allow?: string): RequestError {
  return new RequestError("METHOD_NOT_ALLOWED", "the path does not take this method", {
    facts: allow === undefined ? {} : { allow },
  });
}
