/** Asks again and again until `probe` gives something, at most `timeoutMs`. */
export async function eventually<Found>(
  probe: () => Found | undefined | false | Promise<Found | undefined | false>,
  timeoutMs = 5_000,
): Promise<Found> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new TypeError(`it did not come true within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
