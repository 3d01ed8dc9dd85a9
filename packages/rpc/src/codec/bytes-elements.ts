const ELEMENT_HEAD_BYTES = 4;

/**
 * Whether the bytes are `count` elements of a BYTES part with a shape: each a u32 length and so many bytes.
 * @returns what is wrong, to follow "a BYTES part …", or undefined
 */
export function elementsProblem(
  view: DataView,
  count: number,
  start: number,
  end: number,
): string | undefined {
  // Known without a walk, and the walk's bound.
  if (count * ELEMENT_HEAD_BYTES > end - start) return "has fewer elements than its shape";
  let offset = start;
  for (let index = 0; index < count; index++) {
    if (ELEMENT_HEAD_BYTES > end - offset) return "has fewer elements than its shape";
    offset += ELEMENT_HEAD_BYTES + view.getUint32(offset, true);
    if (offset > end) return "has an element that ends after its data";
  }
  return offset === end ? undefined : "has more elements than its shape";
}
