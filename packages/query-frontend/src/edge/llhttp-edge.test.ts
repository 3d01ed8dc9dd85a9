import { createLlhttpEdge } from "./llhttp-edge.js";
import { describeEdge } from "./test-support/describe-edge.js";

describeEdge("llhttp", createLlhttpEdge);
