import { ProtocolError } from "@clipper-serving/spec";

/** A state of many thousand records; more is not ours. */
const MAX_LINE_CHARACTERS = 64 * 1024 * 1024;

/** The JSON values of a stream, one a line. @throws ProtocolError for a line that is not JSON, or endless */
export async function* ndjson(stream: AsyncIterable<Buffer>): AsyncGenerator<unknown, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", start)) {
      const line = rest.slice(start, end).trim();
      start = end + 1;
      if (line !== "") yield parsed(line);
    }
    rest = rest.slice(start);
    if (rest.length > MAX_LINE_CHARACTERS)
      throw new ProtocolError({ message: "a line of the stream is endless" });
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new ProtocolError({ message: "a line of the stream is not JSON", cause });
  }
}
