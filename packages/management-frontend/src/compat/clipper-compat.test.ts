import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningFrontend, startFrontend, TOKEN } from "../test-support/frontend.js";

/*
 * Clipper's own 38 cases of its management frontend, in its order, as HTTP: what it threw is a 400 with the text its clients see. Below
 * them, what its admin client's own tests ask of management.
 */

let frontend: RunningFrontend;

beforeEach(async () => {
  frontend = await startFrontend({ clipperWithoutToken: true });
});

afterEach(() => frontend[Symbol.asyncDispose]());

async function admin(operation: string, body: unknown): Promise<{ status: number; text: string }> {
  const { status, text } = await frontend.send({ method: "POST", path: `/admin/${operation}`, body });
  return { status, text };
}

const addApp = (change: object = {}) =>
  admin("add_app", {
    name: "myappname",
    input_type: "integers",
    default_output: "4.3",
    latency_slo_micros: 1_000,
    ...change,
  });

const addModel = (change: object = {}) =>
  admin("add_model", {
    model_name: "mymodelname",
    model_version: "4",
    labels: ["label1", "label2"],
    input_type: "integers",
    batch_size: -1,
    container_name: "clipper/sklearn_cifar",
    model_data_path: "/tmp/model/repo/m/1",
    ...change,
  });

const link = (models: readonly string[] = ["mymodelname"], app = "myappname") =>
  admin("add_model_links", { app_name: app, model_names: models });

const linked = async (app = "myappname") =>
  JSON.parse((await admin("get_linked_models", { app_name: app })).text);
const getModel = async (model: string, version: string) =>
  JSON.parse((await admin("get_model", { model_name: model, model_version: version })).text);
const isCurrent = async (model: string, version: string) =>
  (await getModel(model, version)).is_current_version;
const setVersion = (version: string, model = "m") =>
  admin("set_model_version", { model_name: model, model_version: version });

const notParsed = { status: 400, text: expect.stringMatching(/^Error parsing JSON: /) };
const refused = (text: string) => ({ status: 400, text });

describe("Clipper's management cases: applications", () => {
  it("adds an application", async () => {
    expect(await addApp()).toEqual({
      status: 200,
      text: "Successfully added application with name 'myappname'",
    });
    const { text } = await admin("get_application", { name: "myappname" });
    expect(text).toBe(
      '{"input_type":"integers","default_output":"4.3","latency_slo_micros":1000,"name":"myappname","linked_models":[]}',
    );
  });

  it("refuses one that misses a field", async () => {
    expect(
      await admin("add_app", { name: "myappname", input_type: "integers", latency_slo_micros: 10_000 }),
    ).toEqual(
      refused(
        'Error parsing JSON: JSON object does not have required key: default_output. Expected JSON schema: \n  {\n   "name" := string,\n   "input_type" := "integers" | "bytes" | "floats" | "doubles" | "strings",\n   "default_output" := string,\n   "latency_slo_micros" := int\n  }\n',
      ),
    );
  });

  it("refuses malformed JSON", async () => {
    expect(await admin("add_app", '{"name": "myappname, "selection_policy":,')).toEqual(notParsed);
  });

  it("refuses a duplicate", async () => {
    await addApp();
    expect(await addApp()).toEqual(refused("application 'myappname' already exists"));
  });

  it("shows an application and what it is linked to", async () => {
    await addApp({ name: "my_app_name", input_type: "doubles", default_output: "my_default_output" });
    await addModel({ input_type: "doubles" });
    await link(["mymodelname"], "my_app_name");
    expect(JSON.parse((await admin("get_application", { name: "my_app_name" })).text)).toEqual({
      name: "my_app_name",
      input_type: "doubles",
      default_output: "my_default_output",
      latency_slo_micros: 1_000,
      linked_models: ["mymodelname"],
    });
  });

  it("deletes an application", async () => {
    await addApp();
    expect(await admin("delete_app", { name: "myappname" })).toEqual({
      status: 200,
      text: "Successfully deleted application with name 'myappname'",
    });
    expect((await admin("get_application", { name: "myappname" })).text).toBe("{}");
  });

  it("shows {} for an application that is not there", async () => {
    expect(await admin("get_application", { name: "nonexistent_app" })).toEqual({ status: 200, text: "{}" });
  });

  it("refuses malformed JSON when asked for an application", async () => {
    expect(await admin("get_application", '{"app": not a string}')).toEqual(notParsed);
  });

  it("lists applications verbosely", async () => {
    await addApp({ name: "my_app_name1", input_type: "doubles" });
    await addApp({ name: "my_app_name2", input_type: "doubles" });
    await addModel({ input_type: "doubles" });
    await link(["mymodelname"], "my_app_name1");
    expect(JSON.parse((await admin("get_all_applications", { verbose: true })).text)).toMatchObject([
      { name: "my_app_name1", linked_models: ["mymodelname"] },
      { name: "my_app_name2", linked_models: [] },
    ]);
  });

  it.each([true, false])("lists none as [], verbose %s", async (verbose) => {
    expect(await admin("get_all_applications", { verbose })).toEqual({ status: 200, text: "[]" });
  });

  it("lists applications by name", async () => {
    await addApp({ name: "my_app_name1" });
    await addApp({ name: "my_app_name2" });
    expect((await admin("get_all_applications", { verbose: false })).text).toBe(
      '["my_app_name1","my_app_name2"]',
    );
  });

  it("refuses malformed JSON when asked to list", async () => {
    expect(await admin("get_all_applications", '{"verbose": flalse}')).toEqual(notParsed);
  });
});

describe("Clipper's management cases: models", () => {
  it("adds a model and makes it current", async () => {
    expect(await addModel({ labels: ["label1", "label2", "label3"] })).toEqual({
      status: 200,
      text: "Successfully added model with name 'mymodelname' and input type 'integers'",
    });
    const { text } = await admin("get_model", { model_name: "mymodelname", model_version: "4" });
    expect(text).toBe(
      '{"model_name":"mymodelname","model_version":"4","input_type":"integers","labels":["label1","label2","label3"],"container_name":"clipper/sklearn_cifar","model_data_path":"/tmp/model/repo/m/1","is_current_version":true}',
    );
  });

  it("adds a version of a linked model with the same input type under another name of it", async () => {
    await addApp();
    await addModel();
    await link();
    expect((await addModel({ model_version: "6", input_type: "ints" })).status).toBe(200);
  });

  it("refuses a duplicate version", async () => {
    await addModel();
    expect(await addModel({ input_type: "doubles" })).toEqual(
      refused("model with name 'mymodelname' and version '4' already exists"),
    );
  });

  it("refuses a model that misses a field", async () => {
    const body = { model_name: "mymodelname", model_version: "4", labels: ["label1"] };
    expect(await admin("add_model", body)).toEqual(notParsed);
  });

  it("refuses , and : in names, versions and labels", async () => {
    const good = { model_name: "my_app_name", model_version: "my_model_version", input_type: "doubles" };
    expect(await addModel({ ...good, model_name: "my_app_name:" })).toEqual(
      refused("Invalid model name supplied: my_app_name:. Contains one of: ',', ':'"),
    );
    expect(await addModel({ ...good, model_version: ",my_model_version" })).toEqual(
      refused("Invalid model version supplied: ,my_model_version. Contains one of: ',', ':'"),
    );
    expect(await addModel({ ...good, labels: ["label1", ":label,"] })).toEqual(
      refused("Invalid label supplied: :label,. Contains one of: ',', ':'"),
    );
    expect((await addModel(good)).status).toBe(200);
  });

  it("refuses malformed JSON for a model", async () => {
    expect(await admin("add_model", '"model_name": "mymodelname')).toEqual(notParsed);
  });

  it("sets the current version", async () => {
    for (const version of ["1", "2", "4"]) await addModel({ model_name: "m", model_version: version });
    expect(await isCurrent("m", "4")).toBe(true);
    expect(await setVersion("2")).toEqual({
      status: 200,
      text: "Successfully set model with name 'm' to version '2'",
    });
    expect([await isCurrent("m", "2"), await isCurrent("m", "4")]).toEqual([true, false]);
  });

  it("refuses a version of a model that is not there", async () => {
    expect(await setVersion("1")).toEqual(refused("Cannot set version for nonexistent model 'm'"));
  });

  it("refuses a version that is not there, and keeps the current one", async () => {
    for (const version of ["1", "2", "4"]) await addModel({ model_name: "m", model_version: version });
    expect(await setVersion("11")).toEqual(
      refused("Cannot set non-existent version '11' for model with name 'm'"),
    );
    expect(await isCurrent("m", "4")).toBe(true);
  });
});

describe("Clipper's management cases: links", () => {
  it("links a model", async () => {
    await addApp();
    await addModel();
    expect(await link()).toEqual({
      status: 200,
      text: "Successfully linked model with name 'mymodelname' to application 'myappname'",
    });
    expect(await linked()).toEqual(["mymodelname"]);
  });

  it("refuses a model with another input type", async () => {
    await addApp();
    await addModel({ input_type: "doubles" });
    expect(await link()).toEqual(
      refused(
        "Model with name 'mymodelname' has incompatible input_type 'doubles'. Requested app to link to has input_type 'integers'.",
      ),
    );
  });

  it("refuses a new version of a linked model with another input type", async () => {
    await addApp();
    await addModel();
    await link();
    expect(await addModel({ model_version: "5", input_type: "doubles" })).toEqual(
      refused(
        "Model with name 'mymodelname' is already linked to app 'myappname' using input type 'integers'. The input type you provided for a new version of the model, 'doubles', is not compatible.",
      ),
    );
  });

  it("refuses to make a version with another input type current while linked", async () => {
    await addApp();
    await addModel({ model_version: "1", input_type: "doubles" });
    await addModel({ model_version: "2" });
    await link();
    expect(await setVersion("1", "mymodelname")).toMatchObject({ status: 400 });
    expect(await isCurrent("mymodelname", "2")).toBe(true);
  });

  it("refuses a model that is not there", async () => {
    await addApp();
    expect(await link()).toEqual(refused("No model with name 'mymodelname' exists."));
  });

  it("refuses a link that is there, and a second one", async () => {
    await addApp();
    await addModel();
    await addModel({ model_name: "mymodelname2" });
    await link();
    expect(await link()).toEqual(
      refused("The model with name 'mymodelname' is already linked to 'myappname'"),
    );
    expect(await link(["mymodelname2"])).toEqual(
      refused("A model with name mymodelname is already linked to 'myappname'."),
    );
  });

  it("refuses a link of an application that is not there", async () => {
    await addModel();
    expect(await link()).toEqual(refused("No app with name 'myappname' exists."));
  });

  it("refuses malformed JSON for links", async () => {
    expect(await admin("add_model_links", '{"app_name": "a" "model_names": ["m"]}')).toEqual(notParsed);
  });

  it("refuses links without models", async () => {
    expect(await admin("add_model_links", { app_name: "myappname" })).toEqual(notParsed);
  });

  it("lists links, none before there are any", async () => {
    await addApp();
    await addModel();
    expect((await admin("get_linked_models", { app_name: "myappname" })).text).toBe("[]");
    await link();
    expect(await linked()).toEqual(["mymodelname"]);
  });

  it("refuses to list links of an application that is not there", async () => {
    expect(await admin("get_linked_models", { app_name: "myappname" })).toEqual(
      refused("No application with name 'myappname' exists."),
    );
  });

  it("refuses malformed JSON when asked for links", async () => {
    expect(await admin("get_linked_models", '{ app_name : "a }')).toEqual(notParsed);
  });
});

describe("Clipper's management cases: deleting a version", () => {
  const remove = (body: object) => admin("delete_versioned_model", body);

  it("deletes it", async () => {
    await addModel();
    expect(await remove({ model_name: "mymodelname", model_version: "4" })).toEqual({
      status: 200,
      text: "Successfully deleted model with name 'mymodelname' and version '4'",
    });
    expect(await getModel("mymodelname", "4")).toEqual({});
  });

  it("refuses a request that misses a field", async () => {
    await addModel();
    expect(await remove({ model_name: "mymodelname" })).toEqual(
      refused(
        'Error parsing JSON: JSON object does not have required key: model_version. Expected JSON schema: \n  {\n   "model_name" := string,\n   "model_version" := string,\n  }\n',
      ),
    );
  });

  it("refuses a version that is not there", async () => {
    await addModel();
    expect(await remove({ model_name: "mymodelname", model_version: "2" })).toEqual(
      refused("model with name 'mymodelname' and version '2' does not exist"),
    );
  });

  it("refuses one that was deleted a moment ago", async () => {
    await addModel();
    await remove({ model_name: "mymodelname", model_version: "4" });
    expect((await remove({ model_name: "mymodelname", model_version: "4" })).status).toBe(400);
  });
});

describe("Clipper's admin client", () => {
  it("finds the frontend alive", async () => {
    expect(await frontend.send({ path: "/admin/ping" })).toMatchObject({ status: 200, text: "PONG" });
  });

  it("registers versions without a container, batch_size left out as 0.2 does, and reads labels back as sent", async () => {
    for (const version of ["v1", "v2"]) {
      const { status } = await admin("add_model", {
        model_name: "m",
        model_version: version,
        labels: [],
        input_type: "doubles",
        container_name: "NO_CONTAINER",
        model_data_path: "DEPRECATED",
      });
      expect(status).toBe(200);
    }
    expect(await getModel("m", "v1")).toMatchObject({ labels: [], container_name: "NO_CONTAINER" });
    await setVersion("v1");
    const models = JSON.parse((await admin("get_all_models", { verbose: true })).text);
    expect(models.find((model: { is_current_version: boolean }) => model.is_current_version)).toMatchObject({
      model_name: "m",
      model_version: "v1",
    });
    expect((await admin("get_all_models", { verbose: false })).text).toBe('["m:v1","m:v2"]');
  });

  it("unlinks a model, once", async () => {
    await addApp();
    await addModel();
    await link();
    const unlink = () => admin("delete_model_links", { app_name: "myappname", model_names: ["mymodelname"] });
    expect(await unlink()).toEqual({ status: 200, text: "Success!" });
    expect(await linked()).toEqual([]);
    expect(await unlink()).toEqual(
      refused("Cannot remove nonexistent link between app myappname and model mymodelname"),
    );
    expect(await admin("delete_model_links", { app_name: "x", model_names: [] })).toEqual(
      refused("No app with name x exists."),
    );
  });

  it("sends names that only Clipper takes", async () => {
    expect((await addApp({ name: "My_App.1" })).status).toBe(200);
    expect((await addModel({ model_name: "My_Model.1", model_version: "V_1.0" })).status).toBe(200);
    expect((await link(["My_Model.1"], "My_App.1")).status).toBe(200);
    const { status } = await frontend.call("GET", "/v1/models/My_Model.1/versions/V_1.0");
    expect(status).toBe(200);
  });

  it("is told at once that an input type is unknown", async () => {
    expect(await addApp({ input_type: "int8" })).toEqual(refused("int8 is not a valid input string"));
  });

  it("is told what it sent, in Clipper's words for types", async () => {
    const cause = async (operation: string, body: unknown) =>
      /^Error parsing JSON: (.*?)\. Expected/s.exec((await admin(operation, body)).text)?.[1];
    expect(await cause("get_application", { name: 1 })).toBe(
      "Type mismatch! JSON key name expected type stringbut found type Number",
    );
    expect(await cause("get_all_models", { verbose: "yes" })).toBe(
      "Type mismatch! JSON key verbose expected type bool but found type String",
    );
    expect(await cause("add_model_links", { app_name: "a", model_names: [null] })).toBe(
      "Array input of type Null is not of type string",
    );
    expect(await cause("get_application", [])).toBe("Can only get key-value pair from an object");
    expect(await cause("get_application", undefined)).toBe(
      "JSON parse error: The document is empty. (offset 0)\n",
    );
  });

  it("reads the state of an application as its default output", async () => {
    await addApp();
    expect(await admin("get_state", { app_name: "myappname", uid: 7 })).toEqual({ status: 200, text: "4.3" });
    expect(await admin("get_state", { app_name: "nobody", uid: 0 })).toEqual({ status: 200, text: "" });
  });

  it("sees connected replicas as numbered containers", async () => {
    await addModel({ model_name: "m", model_version: "1" });
    const replica = (replicaId: string) => ({
      model: "m",
      version: "1",
      replicaId,
      incarnation: "i",
      bundleDigest: "",
      state: "ready",
    });
    for (const id of ["f1", "f2"]) {
      await frontend.call("PUT", `/v1/frontends/${id}`, {
        id,
        url: "",
        startedAtMs: 1,
        replicas: [replica("w-b"), replica("w-a")],
        serving: {},
      });
    }
    expect((await admin("get_all_containers", { verbose: false })).text).toBe('["m:1:0","m:1:1"]');
    const get = (replica_id: number) =>
      admin("get_container", { model_name: "m", model_version: "1", replica_id });
    expect((await get(1)).text).toBe(
      '{"model_id":"m:1","model_name":"m","model_version":"1","model_replica_id":1,"input_type":"integers"}',
    );
    expect((await get(2)).text).toBe("{}");
  });
});

describe("who may use Clipper's routes", () => {
  it("asks for the token unless started for clients that know none", async () => {
    await using strict = await startFrontend();
    const request = { method: "POST", path: "/admin/get_all_models", body: { verbose: false } };
    expect((await strict.send(request)).status).toBe(401);
    expect((await strict.send({ path: "/admin/ping" })).status).toBe(200);
  });

  it("takes the token as the password in the client's address", async () => {
    await using strict = await startFrontend();
    const authorization = `Basic ${Buffer.from(`clipper:${TOKEN}`).toString("base64")}`;
    const answer = await strict.send({
      method: "POST",
      path: "/admin/get_all_models",
      body: { verbose: false },
      headers: { authorization },
    });
    expect(answer).toMatchObject({ status: 200, text: "[]" });
  });

  it("opens no other route by it", async () => {
    expect((await frontend.send({ path: "/v1/cluster" })).status).toBe(401);
  });
});
