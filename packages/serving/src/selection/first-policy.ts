import type { SelectionPolicy } from "@clipper-serving/spec";
import { combinePrimary, primaryAndMirrors } from "./primary-and-mirrors.js";

/** Clipper's DefaultOutputSelectionPolicy: the first route answers, or the default output is given. */
export const firstPolicy: SelectionPolicy = {
  name: "first",
  select(_query, routes) {
    return primaryAndMirrors(
      routes.find((route) => !route.mirror),
      routes,
    );
  },
  combine: combinePrimary,
};
