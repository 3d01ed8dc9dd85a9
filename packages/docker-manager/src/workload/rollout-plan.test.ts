import { describe, expect, it } from "vitest";
import type { Holdings, InstanceContainer, WorkloadView } from "./cluster-view.js";
import { planRollout } from "./rollout-plan.js";
import type { PlaceRecord } from "./workload-record.js";

interface ContainerLike {
  readonly serial: number;
  readonly status?: InstanceContainer["inspected"]["State"]["Status"];
  readonly error?: string;
  readonly holds?: Holdings;
}

const NOTHING: Holdings = { ports: [] };
const PORT: Holdings = { ports: [20_001] };

function view(
  places: readonly Omit<PlaceRecord, "runDigest">[],
  containers: readonly ContainerLike[],
): WorkloadView {
  return {
    id: "w",
    record: {
      places: places.map((place) => ({ ...place, runDigest: "d" })),
    } as unknown as WorkloadView["record"] & object,
    containers: containers.map(({ serial, status = "running", error = "", holds = NOTHING }) => ({
      id: `c${serial}`,
      instance: `w-${serial}`,
      serial,
      runDigest: "d",
      revision: 1,
      holds,
      inspected: { State: { Status: status, Error: error } } as InstanceContainer["inspected"],
    })),
    pending: [],
    helpers: [],
    records: [],
    secrets: [],
    imageClaims: [],
  };
}

function plan(
  places: readonly Omit<PlaceRecord, "runDigest">[],
  containers: readonly ContainerLike[],
  ready: readonly number[] = [],
): { start: number[]; retire: number[]; isSettled: boolean } {
  const { start, retire, isSettled } = planRollout(view(places, containers), ({ serial }) =>
    ready.includes(serial),
  );
  const serials = (found: readonly InstanceContainer[]): number[] => found.map(({ serial }) => serial);
  return { start: serials(start), retire: serials(retire), isSettled };
}

const settled = { start: [], retire: [], isSettled: true };

describe("what is done next", () => {
  it("nothing, when all that is wanted runs, ready or not", () => {
    expect(plan([{ serial: 1 }], [{ serial: 1 }])).toEqual(settled);
  });

  it("what was made is started, once", () => {
    expect(plan([{ serial: 1 }], [{ serial: 1, status: "created" }])).toMatchObject({ start: [1] });
    const failed = { serial: 1, status: "created", error: "no such program" } as const;
    expect(plan([{ serial: 1 }], [failed])).toEqual(settled);
  });

  it("what ended or was removed by hand is left to apply", () => {
    expect(plan([{ serial: 1 }, { serial: 2 }], [{ serial: 1, status: "exited" }])).toEqual(settled);
  });

  it("what nobody wants ends", () => {
    expect(plan([{ serial: 1 }], [{ serial: 1 }, { serial: 2 }], [1, 2])).toMatchObject({ retire: [2] });
  });
});

describe("a changed program", () => {
  const change = [{ serial: 2, previous: 1 }];

  it("starts beside the old one, which ends when the new one is ready", () => {
    const both = [{ serial: 1 }, { serial: 2, status: "created" as const }];
    expect(plan(change, both, [1])).toEqual({ start: [2], retire: [], isSettled: false });
    expect(plan(change, [{ serial: 1 }, { serial: 2 }], [1])).toEqual({
      start: [],
      retire: [],
      isSettled: false,
    });
    expect(plan(change, [{ serial: 1 }, { serial: 2 }], [1, 2])).toMatchObject({ retire: [1] });
    expect(plan(change, [{ serial: 2 }], [2])).toEqual(settled);
  });

  it("starts after the old one where both hold the same", () => {
    const old = { serial: 1, holds: PORT };
    const made = { serial: 2, holds: PORT, status: "created" } as const;
    expect(plan(change, [old, made], [1])).toEqual({ start: [], retire: [1], isSettled: false });
    expect(plan(change, [{ ...old, status: "exited" }, made])).toMatchObject({ start: [] });
    expect(plan(change, [made])).toMatchObject({ start: [2] });
    const volume = (serial: number) => ({ serial, holds: { ports: [], volume: "state" } });
    expect(plan(change, [volume(1), { ...volume(2), status: "created" }], [1])).toMatchObject({
      retire: [1],
    });
  });

  it("goes from place to place where old and new exclude each other", () => {
    const places = [
      { serial: 3, previous: 1 },
      { serial: 4, previous: 2 },
    ];
    const at = (serial: number, port: number, status: "running" | "created" = "running") => ({
      serial,
      status,
      holds: { ports: [port] },
    });
    const made = [at(3, 1, "created"), at(4, 2, "created")];
    expect(plan(places, [at(1, 1), at(2, 2), ...made], [1, 2])).toMatchObject({ start: [], retire: [1] });
    expect(plan(places, [at(2, 2), ...made], [2])).toMatchObject({ start: [3], retire: [] });
    expect(plan(places, [at(2, 2), at(3, 1), made[1]!], [2])).toEqual({
      start: [],
      retire: [],
      isSettled: false,
    });
    expect(plan(places, [at(2, 2), at(3, 1), made[1]!], [2, 3])).toMatchObject({ retire: [2] });
    // One that serves nobody is not waited for.
    expect(plan(places, [at(2, 2), at(3, 1), made[1]!], [])).toMatchObject({ retire: [2] });
  });

  it("that was called off ends, and the old one stays", () => {
    expect(plan([{ serial: 1 }], [{ serial: 1 }, { serial: 2 }], [1])).toMatchObject({
      retire: [2],
      start: [],
    });
  });
});
