import type {
  Attempt,
  AttemptOutcome,
  BatchResult,
  ReplicaIdentity,
  ReplicaLink,
} from "@clipper-serving/spec";

/** The replica's end of a link, played by the test: it remembers what it was told and does what it is told to. */
export interface ReplicaFarEnd {
  /** Every batch it was sent, in order. */
  readonly batches: readonly (readonly Attempt[])[];
  /** Ids it was told nobody waits for. */
  readonly cancelled: readonly number[];
  readonly recycleReasons: readonly string[];
  /** Whether the frontend said that it goes. */
  readonly isFrontendDraining: boolean;
  /** Whether it has seen the link close. */
  readonly isClosed: boolean;
  /** Answers items of the batch with this index. */
  answer(batchIndex: number, result: BatchResult): void;
  beat(ageMicros: number): void;
  /** Asks for no more batches. */
  drain(): void;
  /** Is gone without a word, as a killed process. */
  vanish(): void;
}

/** One link with both its ends, fresh for one case. Disposing closes both. */
export interface ReplicaLinkFixture extends AsyncDisposable {
  /** Connected; nobody listens to it yet. */
  readonly link: ReplicaLink;
  readonly replica: ReplicaFarEnd;
  /** Who the replica said it is. */
  readonly identity: ReplicaIdentity;
  /** Lets one end's doings reach the other, or some way towards it. Called again until what is waited for is there. */
  turn(): Promise<void>;
  /** Lets so much of the link's time pass, without BEATs. */
  pass(micros: number): Promise<void>;
}

export interface ReplicaLinkCase {
  readonly name: string;
  run(fixture: ReplicaLinkFixture): Promise<void>;
}

/** What was told by a link, in order. */
export class HeardFromLink {
  readonly results: BatchResult[] = [];
  readonly beats: number[] = [];
  readonly closeReasons: string[] = [];
  draining = 0;

  constructor(link: ReplicaLink) {
    link.listen({
      result: (result) => this.results.push(result),
      beat: (ageMicros) => this.beats.push(ageMicros),
      draining: () => {
        this.draining += 1;
      },
      close: (reason) => this.closeReasons.push(reason),
    });
  }

  get outcomes(): AttemptOutcome[] {
    return this.results.flatMap(({ outcomes }) => outcomes);
  }
}

const WAIT_MS = 5000;

/** Waits for what must come. A link that loses it fails here, and says of what. */
export async function eventually(
  fixture: ReplicaLinkFixture,
  what: string,
  isThere: () => boolean,
): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!isThere()) {
    if (performance.now() > deadline) throw new TypeError(`the link never showed this: ${what}`);
    await fixture.turn();
  }
}

/** Gives what must not come every chance to. */
export async function aWhile(fixture: ReplicaLinkFixture): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await fixture.turn();
}

export function attempt(id: number, rest: Partial<Attempt> = {}): Attempt {
  const data = new Uint8Array(Float64Array.of(id, -id, 0.5).buffer);
  return {
    id,
    input: { parts: [{ name: "input", datatype: "FP64", shape: [3], data }] },
    remainingMicros: 60_000_000,
    ...rest,
  };
}

export function success(id: number, text = String(id)): AttemptOutcome {
  const data = new TextEncoder().encode(text);
  return { id, ok: true, output: { parts: [{ name: "output", datatype: "BYTES", shape: [], data }] } };
}

export function answerOf(...outcomes: AttemptOutcome[]): BatchResult {
  return { outcomes, queueMicros: 12, serviceMicros: 345, batchSize: outcomes.length };
}

/** Bytes may come back as another kind of Uint8Array. */
export function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, member) =>
      member instanceof Uint8Array ? Array.from(member) : (member as unknown),
    ),
  );
}
