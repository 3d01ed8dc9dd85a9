export { createProgram } from "./program.js";
export { runClipper } from "./run-clipper.js";
