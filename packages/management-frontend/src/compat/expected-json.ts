/*
 * What Clipper 0.4.1 says it expected when a body does not parse: clients show it to people, some match on it. Kept with its indents,
 * its trailing commas and its omissions.
 */

const INPUT_TYPE = '"input_type" := "integers" | "bytes" | "floats" | "doubles" | "strings"';
const MODEL_AND_VERSION = ['"model_name" := string', '"model_version" := string'];

function schema(indent: number, fields: readonly string[], end = ""): string {
  const lines = fields.map((field) => " ".repeat(indent) + field).join(",\n");
  return `\n  {\n${lines}${end}\n  }\n`;
}

export const ADD_APP = schema(3, [
  '"name" := string',
  INPUT_TYPE,
  '"default_output" := string',
  '"latency_slo_micros" := int',
]);

export const ADD_MODEL_LINKS = schema(4, ['"app_name" := string', '"model_names" := [string]']);

export const DELETE_MODEL_LINKS = schema(2, ['"app_name" := string', '"model_names" := [string]']);

export const ADD_MODEL = schema(3, [
  ...MODEL_AND_VERSION,
  '"labels" := [string]',
  INPUT_TYPE,
  '"container_name" := string',
  '"model_data_path" := string',
]);

export const MODEL_VERSION = schema(3, MODEL_AND_VERSION, ",");

export const GET_MODEL = schema(4, MODEL_AND_VERSION);

export const GET_CONTAINER = schema(4, [...MODEL_AND_VERSION, '"replica_id" := int']);

export const GET_APPLICATION = schema(4, ['"name" := string']);

export const GET_LINKED_MODELS = schema(4, ['"app_name" := string']);

export const VERBOSE = schema(4, ['"verbose" := bool']);

export const GET_STATE = schema(3, ['"app_name" := string', '"uid" := int'], ",");
