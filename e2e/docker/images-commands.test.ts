import { readdirSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testImages } from "../environment/docker/test-images.ts";
import { engineAbsence } from "../environment/engines.ts";
import { TestRegistry } from "../environment/registry/start-registry.ts";
import { TokenServer } from "../environment/registry/token-server.ts";
import { clipper } from "../support/clipper-command.ts";
import { eventually } from "../support/eventually.ts";
import { Scratch } from "../support/scratch.ts";
import { docker, dockerOutput, dockerWith } from "./docker-command.ts";
import { baseWithPython, removeImages } from "./support/base-images.ts";
import { DockerCluster } from "./support/docker-cluster.ts";

const absence = engineAbsence("docker");
const FIRST_DEPLOY_MS = 300_000;

interface ListedImage {
  readonly ref: string;
  readonly digest: string;
  readonly role: string;
  readonly bytes: number;
  readonly putAtMs: number;
  readonly usedBy: readonly {
    readonly cluster: string;
    readonly model?: string;
    readonly version?: string;
    readonly state?: string;
  }[];
}

const errorOf = ({ stderr }: { readonly stderr: string }) =>
  (JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { error: { code: string; message: string } }).error;

describe.skipIf(absence)(`clipper images${absence === undefined ? "" : ` (${absence})`}`, () => {
  let cluster: DockerCluster;

  beforeAll(async () => {
    cluster = await DockerCluster.up({ name: "images" });
    for (const version of ["1", "2"]) {
      await cluster.deploy(`tagged.py:v${version}`, { model: cluster.name, version, app: "tagged" });
    }
  }, FIRST_DEPLOY_MS);

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    expect(await cluster?.leftovers()).toEqual([]);
  });

  const list = async (): Promise<ListedImage[]> =>
    (JSON.parse((await cluster.clipper("images", "list", "-o", "json")).stdout) as { images: ListedImage[] })
      .images;
  /** Names of the cluster's models' images, which no other test has: the model is called as the cluster. */
  const modelImages = async () =>
    (await dockerOutput("images", "--format", "{{.Repository}}:{{.Tag}}", `clipper/${cluster.name}`))
      .split("\n")
      .filter((name) => name !== "")
      .sort();
  const imageOf = async (version: string) =>
    (await modelImages()).find((name) => name.includes(`:${version}-`)) ?? "";
  const remove = (ref: string) => docker("image", "rm", ref);

  it("list: what was made here, which version uses it, and nothing else", async () => {
    const images = await list();
    const used = (model: string, version: string, state: string) => [
      { cluster: cluster.name, model, version, state },
    ];
    const own = images.filter(({ ref }) => ref.startsWith(`clipper/${cluster.name}:`));
    expect(own).toMatchObject([
      { ref: await imageOf("1"), role: "model", usedBy: used(cluster.name, "1", "kept") },
      { ref: await imageOf("2"), role: "model", usedBy: used(cluster.name, "2", "current") },
    ]);
    for (const { ref, digest, bytes, putAtMs } of own) {
      expect(await dockerOutput("image", "inspect", "--format", "{{.Id}} {{.Size}}", ref)).toBe(
        `${digest} ${bytes}`,
      );
      expect(Date.now() - putAtMs).toBeLessThan(FIRST_DEPLOY_MS);
    }
    const image = await cluster.inspect("management-frontend-1", "{{.Image}}");
    const frontend = images.find(({ digest }) => digest === image);
    expect(frontend?.role).toBe("frontend");
    expect(frontend?.usedBy).toContainEqual({ cluster: cluster.name });
    expect(images.map(({ ref }) => ref)).not.toContain(testImages().base);

    const { stdout } = await cluster.clipper("images", "list");
    expect(stdout).toMatch(
      new RegExp(`^clipper/\\S+:2-\\w+ +model +\\w{12} .* ${cluster.name}:2 \\(current\\)$`, "m"),
    );
  });

  it("build: makes nothing new for a cluster that is there, has the base of a Python there, and refuses one that does not fit", async () => {
    const { base, pythonMinor } = testImages();
    const built = JSON.parse(
      (await cluster.clipper("images", "build", "--python", pythonMinor, "-o", "json")).stdout,
    ) as { frontend: { ref: string; digest: string }; pythons: unknown };
    expect(built.frontend.digest).toBe(await cluster.inspect("management-frontend-1", "{{.Image}}"));
    expect(built.pythons).toEqual([
      {
        python: pythonMinor,
        base,
        platform: expect.stringMatching(/^linux\//),
        interpreter: expect.stringMatching(/python3\.\d+$/),
      },
    ]);

    const other = `clipper-test/${cluster.name}-other-python:1`;
    await baseWithPython(other, "3.9");
    try {
      const mismatch = await cluster.fails(
        1,
        ...["images", "build", "--python", pythonMinor, "--image", `python:${pythonMinor}=${other}`],
        ...["-o", "json"],
      );
      expect(errorOf(mismatch)).toMatchObject({ code: "PYTHON_MISMATCH" });
    } finally {
      await removeImages(other);
    }
    await cluster.fails(2, "images", "build", "--python", "3");
  });

  it("build: needs no cluster, and makes none", async () => {
    using scratch = new Scratch();
    const { base } = testImages();
    const words = ["images", "build", "--manager", "docker", "--image", `frontend=${base}`, "-o", "json"];
    const { stdout } = await clipper(words, scratch.env);
    const { frontend } = JSON.parse(stdout) as { frontend: { ref: string } };
    expect(await dockerOutput("image", "inspect", "--format", "{{.Id}}", frontend.ref)).toMatch(/^sha256:/);
    await clipper(["status"], scratch.env, { code: 3 });
  });

  it("says that there are none where programs are directories", async () => {
    using scratch = new Scratch();
    for (const words of [["build"], ["list"], ["push", "127.0.0.1:1/a"], ["prune"]]) {
      const refused = await clipper(["images", ...words, "-o", "json"], scratch.env, { code: 1 });
      expect(errorOf(refused)).toMatchObject({
        code: "UNSUPPORTED",
        message: expect.stringContaining("directories"),
      });
    }
  });

  describe.skipIf(engineAbsence("registry"))("push", () => {
    it("puts an image as it is into a registry, with the user's own login", async () => {
      const user = { username: "clipper", password: "right" };
      await using tokens = await TokenServer.start(user);
      await using registry = await TestRegistry.start({ auth: tokens.auth });
      const login = (password: string) =>
        writeFileSync(
          cluster.scratch.path("config.json"),
          JSON.stringify({
            auths: {
              [registry.address]: { auth: Buffer.from(`${user.username}:${password}`).toString("base64") },
            },
          }),
        );
      const push = (...words: string[]) => [
        ...["images", "push", ...words, "-o", "json", "--cluster", cluster.name],
      ];
      const env = { ...cluster.env, DOCKER_CONFIG: cluster.scratch.directory };
      login("wrong");
      const refused = await clipper(push(`${registry.address}/team/clipper:1`), env, { code: 7 });
      expect(errorOf(refused)).toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });

      login(user.password);
      const frontend = JSON.parse(
        (await clipper(push(`${registry.address}/team/clipper:1`), env)).stdout,
      ) as {
        ref: string;
        digest: string;
      };
      expect(frontend).toMatchObject({
        ref: `${registry.address}/team/clipper:1`,
        digest: await cluster.inspect("management-frontend-1", "{{.Image}}"),
      });
      const model = JSON.parse(
        (await clipper(push(`${registry.address}/team/clipper`, "--model", cluster.name), env)).stdout,
      ) as { ref: string; digest: string; manifestDigest: string };
      const source = await imageOf("2");
      // Without a tag of its own it has the image's.
      expect(model.ref).toBe(`${registry.address}/team/clipper:${source.split(":")[1]}`);
      expect(model.digest).toBe(await dockerOutput("image", "inspect", "--format", "{{.Id}}", source));

      expect(readdirSync(cluster.scratch.path("home", "scratch"))).toEqual([]);
      const pull = ["--config", cluster.scratch.directory, "pull", "--quiet"];
      const pinned = `${registry.address}/team/clipper@${model.manifestDigest}`;
      try {
        await dockerOutput(...pull, pinned);
        await dockerOutput(...pull, frontend.ref);
        expect(await dockerOutput("image", "inspect", "--format", "{{.Id}}", pinned)).toBe(model.digest);
      } finally {
        await remove(pinned);
        await remove(frontend.ref);
      }
    });

    it("refuses a name without a registry, and a version that is not there", async () => {
      expect(errorOf(await cluster.fails(2, "images", "push", "team/clipper:1", "-o", "json"))).toMatchObject(
        {
          code: "INVALID_ARGUMENT",
        },
      );
      await cluster.fails(3, "images", "push", "127.0.0.1:1/a:1", "--model", "nobody");
      await cluster.fails(2, "images", "push", "127.0.0.1:1/a:1", "--model-version", "1");
    });
  });

  it("what a stopped cluster comes back with is kept for it, and is told to be its", async () => {
    const before = await modelImages();
    expect(before).toHaveLength(2);
    await cluster.clipper("down");
    for (const ref of before) {
      const image = (await list()).find((each) => each.ref === ref);
      expect(image?.usedBy).toMatchObject([{ cluster: cluster.name, model: cluster.name }]);
    }
    await cluster.up();
    expect(await modelImages()).toEqual(before);
    expect((await cluster.predict("tagged", [1])).output).toEqual({ v: "2", id: 1 });
    expect((await cluster.leftovers()).filter((name) => name.includes(".image."))).toEqual([]);
  });

  it("one that somebody removed is made again by the same deploy, and its replicas come back", async () => {
    const image = await imageOf("2");
    const containers = await dockerOutput("ps", "--all", "--quiet", "--filter", `ancestor=${image}`);
    expect(containers).not.toBe("");
    await dockerOutput("rm", "--force", ...containers.split("\n").filter((id) => id !== ""));
    await dockerOutput("image", "rm", image);
    await cluster.deploy("tagged.py:v2", { model: cluster.name, version: "2", app: "tagged" });
    expect(await imageOf("2")).toBe(image);
    await eventually(
      "its replica answers",
      30_000,
      async () => (await cluster.predict("tagged", [1])).default === false,
    );
  });

  it("a version that is stopped takes its image with it; what was built or named on it by somebody stays", async () => {
    const [first] = await modelImages();
    const built = `clipper-test/${cluster.name}-built:1`;
    const named = `clipper-test/${cluster.name}-named:1`;
    const dockerfile = Readable.from([Buffer.from(`FROM ${first}\nLABEL more=1\n`)]);
    expect(await dockerWith(dockerfile, "build", "--quiet", "--tag", built, "-")).toMatchObject({
      status: 0,
    });
    await dockerOutput("tag", await imageOf("2"), named);
    try {
      await cluster.clipper("model", "stop", cluster.name, "1");
      expect(await modelImages()).toEqual([await imageOf("2")]);
      expect((await docker("image", "inspect", built)).status).toBe(0);
      expect((await cluster.predict("tagged", [2])).output).toEqual({ v: "2", id: 2 });
      await cluster.deploy("tagged.py:v1", { model: cluster.name, version: "3" });
      expect((await cluster.predict("tagged", [3])).output).toEqual({ v: "1", id: 3 });
      await cluster.clipper("model", "stop", cluster.name, "2");
      expect(await modelImages()).toEqual([await imageOf("3")]);
      expect((await docker("image", "inspect", named)).status).toBe(0);
    } finally {
      await removeImages(built, named);
    }
  });

  it("a purged cluster takes its models' images with it, but for one that another cluster has too", async () => {
    const other = await DockerCluster.up({ name: "images-too" });
    try {
      await other.deploy("tagged.py:v1", { model: cluster.name, version: "3", app: "tagged" });
      await other.deploy("tagged.py:v2", { model: cluster.name, version: "4" });
      expect(await modelImages()).toEqual([await imageOf("3"), await imageOf("4")]);
      await other.clipper("down");
      await other.clipper("down", "--purge", "--yes");
      expect(await modelImages()).toEqual([await imageOf("3")]);
      expect((await docker("image", "inspect", testImages().base)).status).toBe(0);
    } finally {
      await other[Symbol.asyncDispose]();
    }
    await cluster.clipper("down", "--purge", "--yes");
    expect(await modelImages()).toEqual([]);
  });
});
