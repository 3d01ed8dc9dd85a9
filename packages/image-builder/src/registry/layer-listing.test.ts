import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { expect, it } from "vitest";
import { listLayer } from "./layer-listing.js";

it("knows that a directory was emptied, whichever of its entries comes first", async () => {
  const names = [
    ["etc/a/", "etc/a/.wh..wh..opq"],
    ["etc/a/.wh..wh..opq", "etc/a/"],
  ];
  for (const order of names) {
    const archive = pack();
    for (const name of order) archive.entry({ name, type: name.endsWith("/") ? "directory" : "file" }, "");
    archive.finalize();
    expect((await listLayer(Readable.from(archive), "", new Set())).entries).toEqual({ "etc/a": "emptied" });
  }
});
