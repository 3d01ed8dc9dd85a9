import type { PredictRequest, QueryEngine } from "@clipper-serving/serving";
import type { Payload, Prediction } from "@clipper-serving/spec";
import type { ServedApplication } from "../applications.js";
import type { EdgeRequest, EdgeResponse } from "../edge/http-edge.js";
import { type AnswerJson, answerJson, batchJson } from "../json/answer-json.js";
import type { PredictBody, PredictBodyParser } from "../json/predict-body.js";
import type { FrontendMetrics } from "../metrics/frontend-metrics.js";
import { errorAnswer } from "./error-answer.js";
import { checkContentType, decodedBody, isEncoded } from "./request-body.js";
import { acceptedTrace, type RequestIds } from "./request-ids.js";

const ROUTE = "predict";

export interface PredictRouteOptions {
  readonly engine: QueryEngine;
  readonly parser: PredictBodyParser;
  readonly metrics: FrontendMetrics;
  readonly requestIds: RequestIds;
  /** Of a body once decoded. */
  readonly maxBodyBytes: number;
  /** Told of errors that nobody expected. */
  readonly onUnexpected: (error: unknown, requestId: string) => void;
}

/** One request under way. */
interface Exchange {
  readonly request: EdgeRequest;
  readonly application: ServedApplication;
  /** The caller's own id, when it gave one: what replicas log. */
  readonly givenId: string | undefined;
  readonly requestId: string;
}

/** `POST /{app}/predict`: body → queries → engine → answer, counting what the caller saw. */
export class PredictRoute {
  readonly #options: PredictRouteOptions;

  constructor(options: PredictRouteOptions) {
    this.#options = options;
  }

  /** Never throws: whatever goes wrong becomes an answer. */
  handle(request: EdgeRequest, application: ServedApplication): void {
    const { requestIds } = this.#options;
    const givenId = requestIds.accepted(request.requestId);
    const exchange: Exchange = { request, application, givenId, requestId: givenId ?? requestIds.next() };
    try {
      checkContentType(request);
      if (isEncoded(request)) void this.#decode(exchange);
      else this.#predict(exchange, request.body);
    } catch (error) {
      this.#refuse(exchange, error, 0);
    }
  }

  async #decode(exchange: Exchange): Promise<void> {
    try {
      this.#predict(exchange, await decodedBody(exchange.request, this.#options.maxBodyBytes));
    } catch (error) {
      this.#refuse(exchange, error, 0);
    }
  }

  #predict(exchange: Exchange, bytes: Buffer): void {
    const { application } = exchange;
    const body = this.#options.parser.parse(bytes, application.record.inputType);
    const queries = body.inputs.length;
    application.counters.accepted += queries;
    const failed = (error: unknown): void => this.#refuse(exchange, error, queries);
    if (body.isBatch) {
      Promise.all(body.inputs.map((input) => this.#ask(exchange, body, input)))
        .then((predictions) => this.#answerBatch(exchange, predictions))
        .catch(failed);
    } else {
      this.#ask(exchange, body, body.inputs[0] as Payload).then(
        (prediction) => this.#answerSingle(exchange, prediction),
        failed,
      );
    }
  }

  #ask(exchange: Exchange, body: PredictBody, input: Payload): Promise<Prediction> {
    const { request, application, givenId } = exchange;
    const trace = acceptedTrace(request.traceparent);
    const query: { -readonly [Key in keyof PredictRequest]: PredictRequest[Key] } = {
      application: application.record.name,
      input,
      signal: request.signal,
    };
    if (body.version !== undefined) query.version = body.version;
    if (givenId !== undefined) query.requestId = givenId;
    if (trace !== undefined) query.trace = trace;
    return this.#options.engine.predict(query);
  }

  #answerSingle(exchange: Exchange, prediction: Prediction): void {
    const { application } = exchange;
    const answer = answerJson(prediction, application.defaultJson);
    if (this.#write(exchange, ok(answer.json, exchange.requestId))) count(application, answer);
    else application.counters.cancelled += 1;
  }

  #answerBatch(exchange: Exchange, predictions: readonly Prediction[]): void {
    const { application } = exchange;
    const answers = predictions.map((prediction) => answerJson(prediction, application.defaultJson));
    if (this.#write(exchange, ok(batchJson(answers), exchange.requestId))) {
      for (const answer of answers) count(application, answer);
    } else application.counters.cancelled += answers.length;
  }

  /** @param accepted queries of the request that were counted already; 0 when it could not be read */
  #refuse(exchange: Exchange, error: unknown, accepted: number): void {
    const { counters } = exchange.application;
    if (accepted === 0) counters.accepted += 1;
    const queries = accepted || 1;
    const { response, code, status } = errorAnswer(error, exchange.requestId);
    if (code === "INTERNAL") this.#options.onUnexpected(error, exchange.requestId);
    if (this.#write(exchange, response)) this.#options.metrics.refused(counters, code, status, queries);
    else counters.cancelled += queries;
  }

  #write({ request }: Exchange, response: EdgeResponse): boolean {
    if (!request.answer(response)) return false;
    this.#options.metrics.answered(ROUTE, response.status);
    return true;
  }
}

function ok(body: string, requestId: string): EdgeResponse {
  return { status: 200, body, headers: ["X-Request-Id", requestId] };
}

function count({ counters }: ServedApplication, { reason }: AnswerJson): void {
  if (reason === undefined) counters.ok += 1;
  else counters.defaults[reason] += 1;
}
