import type {
  ApplicationRecord,
  Clock,
  DefaultReason,
  ModelBackend,
  ModelVersion,
  Prediction,
  Query,
  Random,
  Task,
} from "@clipper-serving/spec";
import { ConflictError, NotFoundError } from "@clipper-serving/spec";
import type { EngineObserver } from "../engine-observer.js";
import type { PredictRequest } from "../query-engine.js";
import { DeadlineWheel } from "./deadline-wheel.js";
import { PendingQuery, type PendingQueryOwner } from "./pending-query.js";
import type { RoutedApplication, RoutingTable } from "./routing-table.js";

export interface EdgeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly backend: ModelBackend;
  readonly routing: RoutingTable;
  readonly observer: Partial<EngineObserver>;
}

/** Owns a query's deadline and its answer. What it knows of models it asks its backend, wherever that is. */
export class Edge implements PendingQueryOwner {
  readonly #options: EdgeOptions;
  readonly #deadlines: DeadlineWheel<PendingQuery>;
  #nextQueryId = 0;
  #drained: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#deadlines = new DeadlineWheel({
      clock: options.clock,
      onDue: (pending) => this.#deadlinePassed(pending),
    });
  }

  get isDraining(): boolean {
    return this.#drained !== undefined;
  }

  get queriesInFlight(): number {
    return this.#deadlines.size;
  }

  predict(request: PredictRequest): Promise<Prediction> {
    const { clock, routing } = this.#options;
    const application = routing.application(request.application);
    if (application === undefined) {
      return Promise.reject(new NotFoundError({ kind: "application", name: request.application }));
    }
    const startMicros = clock.nowMicros();
    const query = this.#queryOf(request, application.record, startMicros);
    let targets: readonly ModelVersion[];
    if (request.version === undefined) {
      const selected = this.#select(query, application);
      if (typeof selected === "string") {
        return this.#answerAtOnce(query, application, startMicros, "no_link", selected);
      }
      targets = selected;
    } else {
      const asked = this.#askedVersion(application, request.version);
      if (asked instanceof Error) return Promise.reject(asked);
      targets = [asked];
    }
    if (this.#drained !== undefined) {
      return this.#answerAtOnce(query, application, startMicros, "draining", "the frontend is shutting down");
    }
    if (targets.length === 0) {
      const message = "the application is linked to no version that is served";
      return this.#answerAtOnce(query, application, startMicros, "no_link", message);
    }
    if (query.deadlineMicros <= startMicros) {
      return this.#answerAtOnce(query, application, startMicros, "deadline", "no time was left to answer in");
    }
    if (query.signal?.aborted) {
      return this.#answerAtOnce(query, application, startMicros, "deadline", CALLER_GONE, true);
    }
    return this.#ask(new PendingQuery({ owner: this, query, application, targets, startMicros }));
  }

  drain(): Promise<void> {
    if (this.#drained === undefined) {
      this.#drained = Promise.withResolvers<void>();
      this.#checkDrained();
    }
    return this.#drained.promise;
  }

  outcomeCame(pending: PendingQuery): void {
    if (pending.isSettled) return;
    const prediction = this.#combine(pending, pending.outcomesMissing === 0);
    if (prediction === undefined) return;
    this.#deadlines.remove(pending);
    this.#settle(pending, prediction, false);
  }

  callerGone(pending: PendingQuery): void {
    if (pending.isSettled) return;
    this.#deadlines.remove(pending);
    this.#settle(pending, defaultOf(pending.query, "deadline", CALLER_GONE), true);
  }

  #deadlinePassed(pending: PendingQuery): void {
    const prediction = this.#combine(pending, true);
    this.#settle(pending, prediction ?? defaultOf(pending.query, "deadline", NO_ANSWER), false);
  }

  #ask(pending: PendingQuery): Promise<Prediction> {
    const { backend } = this.#options;
    this.#deadlines.add(pending);
    for (let index = 0; index < pending.targets.length; index++) {
      const task = taskOf(pending.query, pending.targets[index]!, pending.record);
      void backend.submit(task).then((outcome) => pending.take(index, outcome));
    }
    return pending.promise;
  }

  #queryOf(request: PredictRequest, record: ApplicationRecord, nowMicros: number): Query {
    const { application, input, version, requestId, trace, signal } = request;
    const objectiveMicros = nowMicros + record.latencySloMicros;
    const query: { -readonly [Key in keyof Query]: Query[Key] } = {
      id: this.#nextQueryId++,
      application,
      inputType: record.inputType,
      input,
      deadlineMicros: Math.min(request.deadlineMicros ?? objectiveMicros, objectiveMicros),
    };
    if (version !== undefined) query.version = version;
    if (requestId !== undefined) query.requestId = requestId;
    if (trace !== undefined) query.trace = trace;
    if (signal !== undefined) query.signal = signal;
    return query;
  }

  /** @returns targets, or why there are none */
  #select(query: Query, { policy, record, routes }: RoutedApplication): readonly ModelVersion[] | string {
    if (policy === undefined) return `nobody registered the application's selection policy ${record.policy}`;
    try {
      return policy.select(query, routes, this.#options.random);
    } catch (error) {
      // Somebody else's policy must not cost a caller more than this answer.
      return `the selection policy ${policy.name} failed: ${String(error)}`;
    }
  }

  #combine(
    { application, query, targets, outcomes }: PendingQuery,
    isFinal: boolean,
  ): Prediction | undefined {
    const { policy, record } = application;
    let prediction: Prediction | undefined;
    try {
      prediction = policy?.combine(query, record, targets, outcomes, isFinal);
    } catch (error) {
      // As with select: the caller gets the default output.
      return defaultOf(
        query,
        "model_error",
        `the selection policy ${record.policy} failed: ${String(error)}`,
      );
    }
    if (prediction !== undefined || !isFinal) return prediction;
    return defaultOf(query, "deadline", NO_ANSWER);
  }

  #askedVersion(
    { record }: RoutedApplication,
    version: string,
  ): ModelVersion | NotFoundError | ConflictError {
    const [first] = record.routes;
    if (first === undefined) {
      return new ConflictError({
        code: "NO_LINKED_MODEL",
        message: `No models linked to application ${record.name}`,
        hint: "link a model to the application before asking for one of its versions",
        facts: { application: record.name, version },
      });
    }
    for (const { model } of record.routes) {
      const target = this.#options.routing.version(model, version);
      if (target !== undefined) return target;
    }
    return new NotFoundError({
      kind: "version",
      name: `${first.model}:${version}`,
      message: `Requested version: ${version} does not exist for model: ${first.model}`,
    });
  }

  #answerAtOnce(
    query: Query,
    application: RoutedApplication,
    startMicros: number,
    reason: DefaultReason,
    message: string,
    isAborted = false,
  ): Promise<Prediction> {
    const prediction = defaultOf(query, reason, message);
    const latencyMicros = this.#options.clock.nowMicros() - startMicros;
    this.#options.observer.queryDone?.(prediction, latencyMicros, application.record, isAborted);
    return Promise.resolve(prediction);
  }

  #settle(pending: PendingQuery, prediction: Prediction, isAborted: boolean): void {
    pending.settle(prediction);
    const { clock, observer } = this.#options;
    observer.queryDone?.(prediction, clock.nowMicros() - pending.startMicros, pending.record, isAborted);
    if (this.#drained !== undefined) this.#checkDrained();
  }

  #checkDrained(): void {
    if (this.queriesInFlight === 0) this.#drained?.resolve();
  }
}

const CALLER_GONE = "the caller has gone";
const NO_ANSWER = "no answer came in time";

function defaultOf(query: Query, reason: DefaultReason, message: string): Prediction {
  return { queryId: query.id, isDefault: true, reason, message };
}

function taskOf(query: Query, target: ModelVersion, { latencySloMicros }: ApplicationRecord): Task {
  const { id, input, deadlineMicros, requestId, trace, signal } = query;
  const task: { -readonly [Key in keyof Task]: Task[Key] } = {
    queryId: id,
    target,
    input,
    deadlineMicros,
    sloMicros: latencySloMicros,
  };
  if (requestId !== undefined) task.requestId = requestId;
  if (trace !== undefined) task.trace = trace;
  if (signal !== undefined) task.signal = signal;
  return task;
}
