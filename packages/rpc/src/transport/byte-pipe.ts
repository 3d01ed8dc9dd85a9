export interface BytePipeEvents {
  readonly data: (chunk: Uint8Array) => void;
  /** The other end is gone, or this one failed. Told once, and not after `destroy`. */
  readonly close: (reason: string) => void;
}

/** Bytes to and from one peer, in order: a socket, or its twin in memory. */
export interface BytePipe {
  /** Who is at the other end, for people. */
  readonly peer: string;
  /** Bytes written and not yet handed to the platform. */
  readonly unsentBytes: number;
  /** Called once, at once: what comes before is kept. */
  listen(events: BytePipeEvents): void;
  /** The chunks must not be written to any more. */
  write(chunks: readonly Uint8Array[]): void;
  /** Sends what was written, then closes; what comes meanwhile is thrown away. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}
