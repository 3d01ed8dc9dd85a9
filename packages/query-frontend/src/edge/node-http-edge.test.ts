import { createNodeHttpEdge } from "./node-http-edge.js";
import { describeEdge } from "./test-support/describe-edge.js";

describeEdge("node", createNodeHttpEdge);
