import { type StateHead, StateLostError } from "@clipper-serving/spec";
import type { FrontendRegistry } from "../frontends/frontend-registry.js";

/** Whether a store at `own` has lost what a frontend serves by: nothing was ever committed to it, and the frontend has something of another one. */
export function isLostFrom(own: StateHead | undefined, served: StateHead): boolean {
  return own?.revision === 0 && served.epoch !== own.epoch;
}

/**
 * Refuses to begin anew where frontends know that there was something: what was committed now would stand in the way of restoring it.
 * @throws StateLostError
 */
export function checkNotLost(own: StateHead, frontends: FrontendRegistry): void {
  const holder = frontends.live().find(({ head }) => head !== undefined && isLostFrom(own, head));
  if (holder?.head === undefined) return;
  throw new StateLostError({
    message: `the store is empty, while query frontend ${holder.id} serves revision ${holder.head.revision} of the one it had been`,
    hint: "`clipper up` restores it from what the frontends hold",
    facts: { epoch: own.epoch, frontend: holder.id, lost: holder.head },
  });
}
