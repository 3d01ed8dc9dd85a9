import {
  createApplication,
  deleteApplication,
  linkModels,
  registerVersion,
  setCurrentVersion,
  unlinkModels,
  unregisterVersion,
} from "@clipper-serving/control";
import {
  type InputType,
  InvalidArgumentError,
  modelVersionKey,
  NotFoundError,
  parseInputType,
} from "@clipper-serving/spec";
import type { FrontendRegistry } from "../frontends/frontend-registry.js";
import type { Access, Answer, Route } from "../http/route.js";
import type { ClusterState } from "../state/cluster-state.js";
import { checkContainerName } from "../v1/container-name.js";
import { checkDefaultOutput } from "../v1/default-output.js";
import { ClipperBody } from "./clipper-body.js";
import { clipperErrorAnswer } from "./clipper-error.js";
import {
  applicationShape,
  containerKey,
  containerShape,
  containersOf,
  linkedModels,
  modelShape,
} from "./clipper-shapes.js";
import * as expected from "./expected-json.js";

export interface ClipperRoutesOptions {
  readonly state: ClusterState;
  readonly frontends: FrontendRegistry;
  /** `anyone`: for Clipper's clients as they are, which know no token. */
  readonly access: Extract<Access, "token" | "anyone">;
}

/** Clipper's names: what its clients send today. */
const NAMES = { names: "clipper" } as const;

/** Clipper 0.4.1's management REST, translated. */
export function clipperRoutes({ state, frontends, access }: ClipperRoutesOptions): Route[] {
  return [
    { method: "GET", path: "/admin/ping", access: "anyone", handle: () => text("PONG") },

    post("add_app", expected.ADD_APP, async (body) => {
      const application = {
        name: body.string("name"),
        inputType: inputType(body.string("input_type")),
        defaultOutput: body.string("default_output"),
        latencySloMicros: body.integer("latency_slo_micros"),
      };
      checkDefaultOutput(application.defaultOutput);
      await state.mutate((view) => createApplication(view, application, NAMES));
      return text(`Successfully added application with name '${application.name}'`);
    }),

    post("delete_app", expected.ADD_APP, async (body) => {
      const name = body.string("name");
      await state.mutate((view) => deleteApplication(view, name));
      return text(`Successfully deleted application with name '${name}'`);
    }),

    post("add_model_links", expected.ADD_MODEL_LINKS, async (body) => {
      const [app, models] = [body.string("app_name"), body.strings("model_names")];
      await state.mutate((view) => linkModels(view, app, models));
      return text(`Successfully linked model with name '${models[0]}' to application '${app}'`);
    }),

    post("delete_model_links", expected.DELETE_MODEL_LINKS, async (body) => {
      const [app, models] = [body.string("app_name"), body.strings("model_names")];
      await state.mutate((view) => unlinkModels(view, app, models));
      return text("Success!");
    }),

    post("add_model", expected.ADD_MODEL, async (body) => {
      const model = body.string("model_name");
      const version = {
        version: body.string("model_version"),
        labels: body.strings("labels"),
        inputType: inputType(body.string("input_type")),
        containerName: body.string("container_name"),
        modelDataPath: body.string("model_data_path"),
        // Clients of 0.2 do not send it.
        batchSize: body.has("batch_size") ? body.integer("batch_size") : -1,
      };
      checkContainerName(version.containerName);
      await state.mutate((view) => registerVersion(view, model, version, NAMES));
      return text(`Successfully added model with name '${model}' and input type '${version.inputType}'`);
    }),

    post("delete_versioned_model", expected.MODEL_VERSION, async (body) => {
      const target = targetOf(body);
      await state.mutate((view) => unregisterVersion(view, target));
      return text(`Successfully deleted model with name '${target.model}' and version '${target.version}'`);
    }),

    post("set_model_version", expected.MODEL_VERSION, async (body) => {
      const { model, version } = targetOf(body);
      await state.mutate((view) => setCurrentVersion(view, model, { version }));
      return text(`Successfully set model with name '${model}' to version '${version}'`);
    }),

    post("get_all_applications", expected.VERBOSE, async (body) => {
      const verbose = body.boolean("verbose");
      const applications = (await state.read()).applications();
      return json(verbose ? applications.map(applicationShape) : applications.map(({ name }) => name));
    }),

    post("get_application", expected.GET_APPLICATION, async (body) => {
      const application = (await state.read()).application(body.string("name"));
      return json(application === undefined ? {} : applicationShape(application));
    }),

    post("get_linked_models", expected.GET_LINKED_MODELS, async (body) => {
      const name = body.string("app_name");
      const application = (await state.read()).application(name);
      if (application === undefined) {
        throw new NotFoundError({
          kind: "application",
          name,
          message: `No application with name '${name}' exists.`,
        });
      }
      return json(linkedModels(application));
    }),

    post("get_all_models", expected.VERBOSE, async (body) => {
      const verbose = body.boolean("verbose");
      const view = await state.read();
      const versions = view.versions();
      return json(
        verbose ? versions.map((version) => modelShape(version, view)) : versions.map(modelVersionKey),
      );
    }),

    post("get_model", expected.GET_MODEL, async (body) => {
      const target = targetOf(body);
      const view = await state.read();
      const version = view.version(target);
      return json(version === undefined ? {} : modelShape(version, view));
    }),

    post("get_all_containers", expected.VERBOSE, async (body) => {
      const verbose = body.boolean("verbose");
      const containers = containersOf(await state.read(), frontends.replicas());
      return json(verbose ? containers.map(containerShape) : containers.map(containerKey));
    }),

    post("get_container", expected.GET_CONTAINER, async (body) => {
      const { model, version } = targetOf(body);
      const replicaId = body.integer("replica_id");
      if (replicaId < 0) {
        throw new InvalidArgumentError({ argument: "replica_id", value: replicaId, expected: "0 or more" });
      }
      const container = containersOf(await state.read(), frontends.replicas()).find(
        (other) => other.model === model && other.version === version && other.replicaId === replicaId,
      );
      return json(container === undefined ? {} : containerShape(container));
    }),

    post("get_state", expected.GET_STATE, async (body) => {
      const name = body.string("app_name");
      body.integer("uid");
      return text((await state.read()).application(name)?.defaultOutput ?? "");
    }),
  ];

  function post(operation: string, schema: string, answer: (body: ClipperBody) => Promise<Answer>): Route {
    return {
      method: "POST",
      path: `/admin/${operation}`,
      access,
      handle: (request) => answer(new ClipperBody(request.body, schema)),
      showError: clipperErrorAnswer,
    };
  }
}

function targetOf(body: ClipperBody): { model: string; version: string } {
  return { model: body.string("model_name"), version: body.string("model_version") };
}

/** Clipper hung up on an unknown one; its own exception says it best. */
function inputType(name: string): InputType {
  const known = parseInputType(name);
  if (known !== undefined) return known;
  throw new InvalidArgumentError({
    argument: "input_type",
    value: name,
    expected: "integers, floats, doubles, strings or bytes",
    message: `${name} is not a valid input string`,
  });
}

function text(body: string): Answer {
  return { status: 200, body };
}

function json(body: object): Answer {
  return { status: 200, body };
}
