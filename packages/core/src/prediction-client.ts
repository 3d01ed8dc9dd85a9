import { type DefaultReason, InvalidArgumentError } from "@clipper-serving/spec";
import { HttpClient } from "./http-client.js";

/** One input: an array of numbers, a string, or bytes, as the application's input type says. */
export type PredictionInput =
  | readonly number[]
  | Float64Array
  | Float32Array
  | Int32Array
  | string
  | Uint8Array;

export interface PredictRequest {
  readonly app: string;
  /** One input, answered by one prediction. */
  readonly input?: PredictionInput;
  /** Several, answered in the same order. Give either this or `input`. */
  readonly inputs?: readonly PredictionInput[];
  /** A version of the linked model other than the current one. */
  readonly version?: string;
}

export interface PredictionResult {
  readonly queryId: number;
  /** The model's output where it is JSON, else its text. The application's default output when `isDefault`. */
  readonly output: unknown;
  readonly isDefault: boolean;
  /** Why it is the default output: `deadline`, `no_replica`, …; absent otherwise. */
  readonly defaultReason?: DefaultReason;
  readonly defaultExplanation?: string;
}

interface AnswerBody {
  readonly query_id: number;
  readonly output: unknown;
  readonly default: boolean;
  readonly default_explanation?: string;
  readonly default_reason?: DefaultReason;
}

/** Asks a query frontend for predictions. */
export class PredictionClient {
  readonly #http: HttpClient;

  constructor(url: string) {
    this.#http = new HttpClient({ url, what: "the query frontend" });
  }

  async predict(request: PredictRequest, signal?: AbortSignal): Promise<readonly PredictionResult[]> {
    const { app, input, inputs, version } = request;
    if ((input === undefined) === (inputs === undefined)) {
      throw new InvalidArgumentError({
        argument: "input",
        value: input,
        expected: "given, or else `inputs`",
      });
    }
    const body = {
      ...(input === undefined ? { input_batch: inputs?.map(toJson) } : { input: toJson(input) }),
      ...(version === undefined ? {} : { version }),
    };
    const answer = await this.#http.send<AnswerBody | { batch_predictions: readonly AnswerBody[] }>({
      method: "POST",
      path: `/${encodeURIComponent(app)}/predict`,
      body,
      signal,
    });
    return "batch_predictions" in answer ? answer.batch_predictions.map(toResult) : [toResult(answer)];
  }

  /** The answer's body as it came, so that no number is written anew. */
  predictBody(app: string, body: object, signal?: AbortSignal): Promise<string> {
    return this.#http.sendForText({
      method: "POST",
      path: `/${encodeURIComponent(app)}/predict`,
      body,
      signal,
    });
  }

  /** What the query frontend tells of its queues, replicas and batches. */
  inspect(signal?: AbortSignal): Promise<unknown> {
    return this.#http.send({ method: "GET", path: "/metrics/inspect", signal });
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}

function toJson(input: PredictionInput): unknown {
  if (input instanceof Uint8Array) return Buffer.from(input).toString("base64");
  return ArrayBuffer.isView(input) ? Array.from(input as Float64Array) : input;
}

function toResult(body: AnswerBody): PredictionResult {
  return {
    queryId: body.query_id,
    output: body.output,
    isDefault: body.default,
    ...(body.default_reason === undefined ? {} : { defaultReason: body.default_reason }),
    ...(body.default_explanation === undefined ? {} : { defaultExplanation: body.default_explanation }),
  };
}
