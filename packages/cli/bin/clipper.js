#!/usr/bin/env node
// Committed, so that it can be linked before the first build; all it does is in dist.
import "../dist/index.js";
