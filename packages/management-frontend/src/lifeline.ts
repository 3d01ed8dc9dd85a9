import { watchLifeline } from "@clipper-serving/spec";
import { ConfigurationError } from "./configuration-error.js";

/** @throws ConfigurationError when the descriptor is not an open pipe */
export function watchConfiguredLifeline(descriptor: number, onGone: () => void): void {
  try {
    watchLifeline(descriptor, onGone);
  } catch (cause) {
    throw new ConfigurationError({
      key: "CLIPPER_LIFELINE",
      message: `${descriptor} is not an open pipe`,
      cause,
    });
  }
}
