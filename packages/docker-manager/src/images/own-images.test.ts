import { expect, it } from "vitest";
import { connectEngine } from "../discovery/connect-engine.js";
import { Engine } from "../engine/engine.js";
import { type Answer, FakeEngine } from "../test-support/fake-engine.js";
import { LABEL, labelsFor } from "../workload/labels.js";
import { ownImages, removeOwnImage } from "./own-images.js";

const digits = { "clipper.model": "digits", "clipper.version": "1" };
const DIGITS = "clipper/digits:1-0123456789ab";
const LAYERS = "clipper/layers:0123456789abcdef01234567";
const FRONTEND = "clipper/frontend:0123456789ab";

const IMAGES = [
  { Id: "sha256:1", RepoTags: [DIGITS, "team/digits:kept"], Labels: digits, Size: 10 },
  { Id: "sha256:2", RepoTags: [LAYERS], Labels: null, Size: 20 },
  { Id: "sha256:3", RepoTags: ["team/built-on-digits:1"], Labels: digits, Size: 30 },
  { Id: "sha256:4", RepoTags: null, Labels: digits, Size: 40 },
  { Id: "sha256:5", RepoTags: [FRONTEND], Labels: { "clipper.role": "frontend" }, Size: 50 },
];

const json =
  (body: unknown, status = 200): Answer =>
  (_request, response) =>
    void response.writeHead(status).end(JSON.stringify(body));

/** An engine with the images above, of which the workloads of some clusters were started. */
async function withEngine<Result>(
  volumes: readonly object[],
  work: (engine: Engine, requests: readonly string[]) => Promise<Result>,
  onDelete: Answer = json([]),
): Promise<Result> {
  await using fake = await FakeEngine.start({
    answers: {
      "/images/json": json(IMAGES),
      "/images/": (request, response) => {
        if (request.method === "DELETE") return onDelete(request, response);
        const image = IMAGES.find(({ Id, RepoTags }) =>
          [Id, ...(RepoTags ?? [])].some((name) => request.url?.includes(`/images/${name}/json`)),
        );
        if (image === undefined) return json({ message: "No such image" }, 404)(request, response);
        const { Labels, ...rest } = image;
        return json({ ...rest, Config: { Labels }, RootFS: {} })(request, response);
      },
      "/volumes": json({ Volumes: volumes }),
      "/containers/json": json([]),
    },
  });
  const host = { kind: "socket", path: fake.socket } as const;
  const { client, version } = await connectEngine([{ source: "test", name: fake.socket, host }]);
  try {
    return await work(new Engine(client, version), fake.requests);
  } finally {
    client.close();
  }
}

const claimOf = (cluster: string, ref: string) => ({
  Name: `claim-${cluster}`,
  Labels: {
    ...labelsFor(cluster, "image-claim", "replica-1"),
    [LABEL.image]: JSON.stringify({ program: { kind: "image", ref }, labels: digits }),
  },
});
const garbage = { Name: "x", Labels: { ...labelsFor("c", "image-claim", "w"), [LABEL.image]: "{" } };

it("tells what was made here by name and labels, once for each use, on an engine that knows no times", async () => {
  const volumes = [claimOf("one", DIGITS), claimOf("one", DIGITS), claimOf("two", DIGITS), garbage];
  const use = (cluster: string) => ({ cluster, workload: "replica-1", labels: digits });
  expect(await withEngine(volumes, ownImages)).toEqual([
    { ref: DIGITS, digest: "sha256:1", bytes: 10, labels: digits, usedBy: [use("one"), use("two")] },
    {
      ref: FRONTEND,
      digest: "sha256:5",
      bytes: 50,
      labels: { "clipper.role": "frontend" },
      usedBy: [],
    },
    { ref: LAYERS, digest: "sha256:2", bytes: 20, labels: {}, usedBy: [] },
  ]);
});

it.each([
  ["what a cluster uses, one that is stopped too", DIGITS, [claimOf("one", DIGITS)]],
  ["another's name for an image of ours", "team/digits:kept", []],
  ["what somebody built on one", "team/built-on-digits:1", []],
])("does not remove %s", async (_what, ref, volumes) => {
  await withEngine(volumes, async (engine, requests) => {
    const before = requests.length;
    expect(await removeOwnImage(engine, ref)).toBe(false);
    expect(requests.slice(before).filter((url) => !/json|volumes/.test(url))).toEqual([]);
  });
});

it("leaves to the engine what a container is made of, and tells other failures", async () => {
  const remove = (engine: Engine) => removeOwnImage(engine, DIGITS);
  const refuse = (status: number) => json({ message: "image is being used by stopped container" }, status);
  expect(await withEngine([], remove)).toBe(true);
  expect(await withEngine([], remove, refuse(409))).toBe(false);
  await expect(withEngine([], remove, refuse(500))).rejects.toMatchObject({ code: "ENGINE_REFUSED" });
  expect(await withEngine([], (engine) => removeOwnImage(engine, "clipper/digits:1-ffffffffffff"))).toBe(
    true,
  );
});
