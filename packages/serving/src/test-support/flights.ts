import type { Task } from "@clipper-serving/spec";
import { InputKey } from "../cache/input-key.js";
import { Flight, type FlightOwner, Waiter } from "../home/flight.js";
import { textInput } from "./states.js";

const nobody: FlightOwner = {
  finish: () => undefined,
  lose: () => undefined,
  abandon: () => undefined,
  taskDone: () => undefined,
};

/** A flight with one task, for parts that only look at its deadline and size. */
export function flightUntil(deadlineMicros: number, bytes = 10): Flight {
  const task: Task = {
    queryId: 0,
    target: { model: "model", version: "1" },
    input: textInput("x"),
    deadlineMicros,
    sloMicros: 100_000,
  };
  const flight = new Flight({ owner: nobody, task, key: new InputKey(0, 0, 0, 0), bytes });
  flight.add(new Waiter(task, flight));
  return flight;
}
