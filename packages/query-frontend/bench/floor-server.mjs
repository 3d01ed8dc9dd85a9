// The floor that the whole path is held against: what Node gives for nothing. Argument: the port.
import { createServer } from "node:http";

const ANSWER = '{"query_id":1234567,"output":4.123456789,"default":false}   ';

createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    JSON.parse(Buffer.concat(pieces).toString());
    response.setHeader("content-type", "application/json");
    response.end(ANSWER);
  });
}).listen(Number(process.argv[2]), "127.0.0.1", () => process.stdout.write("listening\n"));
