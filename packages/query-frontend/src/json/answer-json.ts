import { DEFAULT_EXPLANATIONS, type DefaultReason, type Prediction } from "@clipper-serving/spec";
import { outputJson } from "./output-json.js";

/** One answer as JSON, and what it was: a model's answer, or the default and why. */
export interface AnswerJson {
  readonly json: string;
  readonly reason: DefaultReason | undefined;
}

/** @param defaultJson the application's default output as {@link textJson} makes it */
export function answerJson(prediction: Prediction, defaultJson: string): AnswerJson {
  if (prediction.isDefault) return defaultAnswer(prediction.queryId, defaultJson, prediction.reason);
  const output = outputJson(prediction.output.parts[0]?.data ?? new Uint8Array());
  if (output === undefined) return defaultAnswer(prediction.queryId, defaultJson, "bad_output");
  return {
    json: `{"query_id":${prediction.queryId},"output":${output},"default":false}`,
    reason: undefined,
  };
}

function defaultAnswer(queryId: number, defaultJson: string, reason: DefaultReason): AnswerJson {
  const explanation = DEFAULT_EXPLANATIONS[reason];
  return {
    json: `{"query_id":${queryId},"output":${defaultJson},"default":true,"default_explanation":"${explanation}","default_reason":"${reason}"}`,
    reason,
  };
}

/** Always wrapped, for one input as for many. */
export function batchJson(answers: readonly AnswerJson[]): string {
  return `{"batch_predictions":[${answers.map(({ json }) => json).join(",")}]}`;
}
