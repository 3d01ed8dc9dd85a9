/** Durations of docs/architecture/wire.md, µs. */

/** A connection that has said no valid HELLO, or whose partner has not come, after this is closed. */
export const HELLO_TIMEOUT_MICROS = 5_000_000;
export const BEAT_INTERVAL_MICROS = 1_000_000;
export const CONTROL_SILENCE_MICROS = 3_000_000;
/** A frame that has begun and does not go on. */
export const HALF_FRAME_SILENCE_MICROS = 10_000_000;
/** What a replica has to answer a PING in when another claims its id. */
export const CLAIM_PING_MICROS = 1_000_000;
export const FIRST_REDIAL_MICROS = 50_000;
export const LAST_REDIAL_MICROS = 500_000;
/** How long a peer may take to close after it was sent REJECT. */
export const LINGER_MICROS = 1_000_000;
