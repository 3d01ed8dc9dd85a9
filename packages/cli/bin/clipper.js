#!/usr/bin/env node
// Committed, so that it can be linked before the first build; all it does is in dist.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`clipper needs Node 22.19 or newer; ${process.execPath} is ${process.version}`);
  process.exit(1);
}
const { runClipper } = await import("../dist/index.js");
await runClipper();
