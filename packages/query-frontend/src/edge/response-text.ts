import { STATUS_CODES } from "node:http";
import type { EdgeResponse } from "./http-edge.js";

const JSON_TYPE = "application/json";

/** Everything before the length of the body. */
function headOf(status: number, contentType: string): string {
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n` +
    `Content-Type: ${contentType}\r\nX-Content-Type-Options: nosniff\r\nContent-Length: `
  );
}

const OK_JSON_HEAD = headOf(200, JSON_TYPE);

export interface ResponseText {
  readonly text: string;
  /** `latin1` where every byte is a character, which a socket writes fastest. */
  readonly encoding: "latin1" | "utf8";
}

/**
 * One answer as the text of one write.
 * @param withBody false for the answer to a HEAD
 */
export function responseText(response: EdgeResponse, close: boolean, withBody = true): ResponseText {
  const { status, body, contentType = JSON_TYPE, headers } = response;
  const bytes = Buffer.byteLength(body);
  let text = status === 200 && contentType === JSON_TYPE ? OK_JSON_HEAD : headOf(status, contentType);
  text += bytes;
  if (headers !== undefined) {
    for (let index = 0; index < headers.length; index += 2) {
      text += `\r\n${headers[index]}: ${headers[index + 1]}`;
    }
  }
  text += close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n";
  if (withBody) text += body;
  return { text, encoding: bytes === body.length ? "latin1" : "utf8" };
}
