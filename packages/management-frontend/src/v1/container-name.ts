import { BadRequestError } from "../http/request-errors.js";

/** An image's reference, a directory's absolute path, or Clipper's NO_CONTAINER. Never something a command line would read as an option. */
const CONTAINER_NAME = /^(?:\/[^\p{Cc}]{0,4095}|[A-Za-z0-9][\w./:@-]{0,511})$/u;

/** @throws BadRequestError `BAD_IMAGE_REF` */
export function checkContainerName(name: string | undefined): void {
  if (name === undefined || CONTAINER_NAME.test(name)) return;
  throw new BadRequestError({
    code: "BAD_IMAGE_REF",
    message: `${JSON.stringify(name.slice(0, 80))} is neither an image's reference nor an absolute path`,
    facts: { argument: "containerName" },
  });
}
