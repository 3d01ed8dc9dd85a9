// A closed-loop load on keep-alive connections, each request an input of its own. Arguments: port, path, connections, seconds, numbers.
// Prints one line of JSON. A process of its own, so that its work is not counted as the server's.
import { connect } from "node:net";

const [port, path, connections, seconds, numbers] = process.argv.slice(2);
const WARM_UP_MS = 500;
const latencies = [];
let answers = 0;
let notPredicted = 0;
let requests = 0;
let measuring = false;
let ended = false;

/** A request whose last digits are counted up in place. */
function makeRequest() {
  const values = Array.from({ length: Number(numbers) - 1 }, () => Math.random());
  const body = `{"input":[${[...values, "0.0000000000000001"].join(",")}]}`;
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.from(head + body, "latin1");
}

function drive() {
  const socket = connect(Number(port), "127.0.0.1");
  const request = makeRequest();
  const digits = request.length - 4;
  let sentAt = 0;
  const send = () => {
    if (ended) return;
    requests += 1;
    for (let rest = requests, at = digits; rest > 0; at -= 1, rest = Math.floor(rest / 10)) {
      request[at] = 0x30 + (rest % 10);
    }
    sentAt = performance.now();
    socket.write(request);
  };
  socket.setNoDelay(true);
  socket.on("connect", send);
  socket.on("data", (answer) => {
    if (measuring) {
      answers += 1;
      latencies.push(performance.now() - sentAt);
      // "HTTP/1.1 200" and a model's own answer; anything else is told.
      if (answer[9] !== 0x32 || !answer.includes('"default":false')) notPredicted += 1;
    }
    send();
  });
}

for (let index = 0; index < Number(connections); index += 1) drive();

setTimeout(() => {
  measuring = true;
  const started = performance.now();
  process.stdout.write("measuring\n");
  setTimeout(() => {
    const elapsed = (performance.now() - started) / 1000;
    ended = true;
    latencies.sort((a, b) => a - b);
    const percentile = (share) =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
    const result = {
      perSecond: answers / elapsed,
      answers,
      notPredicted,
      p50Ms: percentile(0.5),
      p99Ms: percentile(0.99),
    };
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
  }, Number(seconds) * 1000);
}, WARM_UP_MS);
