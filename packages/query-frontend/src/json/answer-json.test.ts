import type { Prediction } from "@clipper-serving/spec";
import { describe, expect, it } from "vitest";
import { answerJson, batchJson } from "./answer-json.js";
import { textJson } from "./output-json.js";

function prediction(output: string | Uint8Array): Prediction {
  const data = typeof output === "string" ? Buffer.from(output) : output;
  return {
    queryId: 7,
    isDefault: false,
    output: { parts: [{ name: "output", datatype: "BYTES", shape: [], data }] },
    servedBy: { model: "m", version: "1" },
    cached: false,
  };
}

describe("an answer as JSON", () => {
  it.each([
    ["1.0", "1.0"],
    ["1", "1"],
    ["1.10", "1.10"],
    ["1e5", "1e5"],
    ["-0", "-0"],
    ["123456789.123456789", "123456789.123456789"],
    ["18446744073709551616", "18446744073709551616"],
    [" 7 ", "7"],
    ["true", "true"],
    ["null", "null"],
    ['"hello"', '"hello"'],
    ['[1, 2.50,"a"]', '[1, 2.50,"a"]'],
    ['{"a": 1.10, "__proto__":[ ]}', '{"a": 1.10, "__proto__":[ ]}'],
    ["hello", '"hello"'],
    ["nan", '"nan"'],
    ["NaN", '"NaN"'],
    ["1e400", '"1e400"'],
    ["", '""'],
    ["7 8", '"7 8"'],
    ["01", '"01"'],
    ["1.", '"1."'],
    ["-", '"-"'],
    ["truer", '"truer"'],
    ["[1", '"[1"'],
    ['"a', '"\\"a"'],
    ["héllo ✓", '"héllo ✓"'],
    ["5\0x", '"5\\u0000x"'],
    ["\u00a07", '"\u00a07"'],
    ["9".repeat(400), `"${"9".repeat(400)}"`],
  ])("embeds the output %j as %s", (output, json) => {
    const answer = answerJson(prediction(output), "null");
    expect(answer.json).toBe(`{"query_id":7,"output":${json},"default":false}`);
    expect(JSON.parse(answer.json)).toBeTruthy();
    expect(textJson(output)).toBe(json);
  });

  it("gives JSON nested deeper than 64 as a string", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(textJson(nested(64))).toBe(nested(64));
    expect(textJson(nested(65))).toBe(JSON.stringify(nested(65)));
    expect(textJson(nested(100_000))).toBe(JSON.stringify(nested(100_000)));
    expect(textJson(`["${"[".repeat(100)}"]`)).toBe(`["${"[".repeat(100)}"]`);
  });

  it("gives the default, why, and Clipper's explanation, in Clipper's order", () => {
    const answer = answerJson({ queryId: 1, isDefault: true, reason: "no_replica", message: "" }, "-1.0");
    expect(answer).toEqual({
      reason: "no_replica",
      json:
        '{"query_id":1,"output":-1.0,"default":true,"default_explanation":"No connected models found for query",' +
        '"default_reason":"no_replica"}',
    });
  });

  it("gives the default for an output that is not UTF-8", () => {
    const answer = answerJson(prediction(Uint8Array.of(0xff)), "0");
    expect(answer.reason).toBe("bad_output");
    expect(JSON.parse(answer.json)).toMatchObject({ output: 0, default: true });
  });

  it("wraps a batch of one too", () => {
    const answer = answerJson(prediction("1"), "null");
    expect(batchJson([answer])).toBe(`{"batch_predictions":[${answer.json}]}`);
    expect(batchJson([answer, answer])).toBe(`{"batch_predictions":[${answer.json},${answer.json}]}`);
  });
});
