import { BadRequestError, PreconditionFailedError } from "./request-errors.js";

/** The revision as an entity tag. */
export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/**
 * @param ifMatch the request's header; absent: anything goes
 * @param revision of the record; undefined when there is none
 * @throws PreconditionFailedError when none of the tags is the record's
 * @throws BadRequestError when the header is not a list of tags
 */
export function checkIfMatch(ifMatch: string | undefined, revision: number | undefined): void {
  if (ifMatch === undefined) return;
  const expected = ifMatch.trim();
  const holds =
    expected === "*"
      ? revision !== undefined
      : tagsOf(expected).some((tag) => revision !== undefined && tag === String(revision));
  if (!holds) throw new PreconditionFailedError({ expected, revision });
}

function tagsOf(list: string): readonly string[] {
  return list.split(",").map((item) => {
    const match = /^(?:W\/)?"(\d{1,16})"$/.exec(item.trim());
    if (match === null) {
      throw new BadRequestError({
        code: "INVALID_ARGUMENT",
        message: 'If-Match must be "*" or revisions in double quotes',
        facts: { argument: "If-Match" },
      });
    }
    return match[1]!;
  });
}
