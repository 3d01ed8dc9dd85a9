/** The other process of the bench: `echo PATH` gives back the bytes it is sent, `replica ADDRESS` answers each item with a short text. */
import { createServer } from "node:net";
import { connectReplica } from "@clipper-serving/rpc";
import { systemClock } from "@clipper-serving/spec";

const [mode, where] = process.argv.slice(2) as [string, string];
const data = Buffer.from("3.14159");

if (mode === "echo") {
  createServer((socket) => socket.pipe(socket)).listen(where, () => process.stdout.write("listening\n"));
} else {
  connectReplica({
    addresses: [where],
    identity: {
      model: "noop",
      version: "1",
      replicaId: "bench",
      inputType: "doubles",
      bundleDigest: "",
      maxBatchSize: 0,
    },
    clock: systemClock,
    random: Math.random,
    handler: async (items) =>
      items.map(({ id }) => ({
        id,
        ok: true,
        output: { parts: [{ name: "output", datatype: "BYTES", shape: [], data }] },
      })),
  });
}
