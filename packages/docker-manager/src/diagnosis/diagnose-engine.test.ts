import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DockerContainerManager } from "../docker-container-manager.js";
import { type Answer, FakeEngine } from "../test-support/fake-engine.js";

beforeEach(() => vi.stubEnv("DOCKER_CONFIG", "/nonexistent"));
afterEach(() => vi.unstubAllEnvs());

const CLUSTER = { name: "mine" };
const says =
  (body: unknown, status = 200): Answer =>
  (_request, response) => {
    response.writeHead(status).end(JSON.stringify(body));
  };

/** Asks an engine of another machine that has nothing, but for what is given. */
async function diagnose(
  answers: Readonly<Record<string, Answer>>,
  { baseImages = [], version }: { baseImages?: readonly string[]; version?: object } = {},
) {
  await using engine = await FakeEngine.start({
    answers: {
      "/info": says({ Name: "another", DockerRootDir: "/var/lib/docker" }),
      "/images/json": says([]),
      "/networks": says([]),
      ...answers,
    },
    ...(version === undefined ? {} : { version }),
  });
  await using manager = new DockerContainerManager({ host: `unix://${engine.socket}` });
  const checks = await manager.diagnose({ cluster: CLUSTER, baseImages, pinnedPorts: [] });
  return new Map(checks.map((check) => [check.name, check]));
}

describe("networks", () => {
  const pools = { Name: "another", DefaultAddressPools: [{ Base: "10.0.0.0/22", Size: 24 }] };
  const network = (third: number, labels: object = {}) => ({
    Id: String(third),
    Name: String(third),
    Labels: labels,
    IPAM: { Config: [{ Subnet: `10.0.${third}.0/24` }] },
  });
  const checked = async (networks: readonly object[], info: object = pools) =>
    (await diagnose({ "/info": says(info), "/networks": says(networks) })).get("networks");

  it("are counted as ranges of addresses that are left", async () => {
    expect(await checked([], { Name: "another" })).toMatchObject({
      state: "ok",
      evidence: expect.stringContaining("31 of 31 address ranges"),
    });
    const wide = { ...network(0), IPAM: { Config: [{ Subnet: "10.0.0.0/23" }, { Subnet: "fd00::/64" }] } };
    expect(await checked([wide, { ...network(200), IPAM: null }])).toMatchObject({
      state: "warning",
      evidence: expect.stringContaining("2 of 4"),
      fix: expect.stringContaining("default-address-pools"),
    });
  });

  it("are exhausted where there is none left, unless the cluster has its own", async () => {
    const all = [0, 1, 2, 3].map((third) => network(third));
    expect(await checked(all)).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/0 of 4.*\[NETWORKS_EXHAUSTED\]$/),
    });
    const own = network(3, { "clipper-serving.cluster": CLUSTER.name });
    expect(await checked([...all.slice(0, 3), own])).toMatchObject({ state: "warning" });
  });
});

describe("room", () => {
  it("on another machine is not guessed at while no image of ours could look", async () => {
    expect((await diagnose({})).get("disk")).toMatchObject({
      state: "warning",
      fix: "look there: df -h /var/lib/docker",
    });
  });
});

describe("a base image", () => {
  const ref = "box.example/python:3.11";
  const absent = { "/images/box": says({ message: "No such image" }, 404) };
  const checked = async (answers: Readonly<Record<string, Answer>>, version?: object) => {
    const options = { baseImages: [ref, ref], ...(version === undefined ? {} : { version }) };
    return (await diagnose({ ...absent, ...answers }, options)).get(`image ${ref}`);
  };

  it("that is not there is asked for at its registry, by the engine", async () => {
    let asked = "";
    const answer: Answer = (request, response) => {
      asked = request.url ?? "";
      says({ Descriptor: {} })(request, response);
    };
    expect(await checked({ "/distribution": answer })).toMatchObject({
      state: "ok",
      evidence: expect.stringContaining("box.example lets it be pulled"),
    });
    expect(asked).toMatch(/\/distribution\/box\.example\/python:3\.11\/json/);
  });

  it.each([
    [401, "unauthorized: authentication required", "IMAGE_PULL_DENIED"],
    [404, "manifest unknown", "IMAGE_NOT_FOUND"],
    [500, "dial tcp: lookup box.example: no such host", "IMAGE_PULL_FAILED"],
  ])("is told not to come: %s %s", async (status, message, code) => {
    expect(await checked({ "/distribution": says({ message }, status) })).toMatchObject({
      state: "failed",
      evidence: expect.stringContaining(`[${code}]`),
      fix: expect.any(String),
    });
  });

  it("of an engine that cannot be asked so is left open", async () => {
    const podman = {
      Version: "4.3.1",
      ApiVersion: "1.41",
      MinAPIVersion: "1.24",
      Components: [{ Name: "Podman Engine", Version: "4.3.1" }],
    };
    expect(await checked({}, podman)).toMatchObject({ state: "warning" });
  });
});
