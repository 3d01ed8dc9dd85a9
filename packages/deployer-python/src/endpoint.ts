import {
  type CallOptions,
  ConflictError,
  checkName,
  type DeployResult,
  type DeployTarget,
  type InputType,
  type LinkRequest,
  type RegisterApplicationRequest,
  type RegisteredApplication,
  toSloMicros,
} from "@clipper-serving/spec";
import { type PythonClosureOptions, resolveClosureOptions } from "./closure-options.js";
import { deployPythonClosure } from "./python-closure.js";

/** The application whose queries a model is to answer. */
export interface ApplicationOptions {
  /** Name of the application. Default: the model's. */
  readonly app?: string;
  /** Default `"None"`. Of an application that is there already: left as it is. */
  readonly defaultOutput?: string;
  /** Latency objective, ms. Default 3,000. Of an application that is there already: left as it is. */
  readonly sloMs?: number;
}

export interface EndpointOptions extends PythonClosureOptions, ApplicationOptions {}

/**
 * Deploys a Python function and answers an application's queries with it: the application is registered when absent, and linked when unlinked.
 * First the deploy, then the application with its link in one step; so that what fails leaves no application behind, and the call can be made again.
 * @throws as `deployPythonClosure`; ConflictError when the application takes another input type or is linked to another model
 */
export async function createEndpoint(
  target: DeployTarget,
  options: EndpointOptions,
  call: CallOptions = {},
): Promise<DeployResult> {
  const { model, inputType } = resolveClosureOptions(options);
  return withApplication(target, { ...options, model, inputType }, call, () =>
    deployPythonClosure(target, options, call),
  );
}

export interface EndpointModel extends ApplicationOptions {
  readonly model: string;
  readonly inputType: InputType;
  readonly force?: boolean;
}

/** Does what `createEndpoint` does around a deploy of any kind. @throws as `deploy`; ConflictError */
export async function withApplication(
  target: DeployTarget,
  { model, inputType, app: name = model, defaultOutput, sloMs, force }: EndpointModel,
  call: CallOptions,
  deploy: () => Promise<DeployResult>,
): Promise<DeployResult> {
  const app = checkName("application", name);
  const request = {
    name: app,
    inputType,
    ...(defaultOutput === undefined ? {} : { defaultOutput }),
    ...(sloMs === undefined ? {} : { sloMs }),
    model,
    ...(force === undefined ? {} : { force }),
  };
  if (sloMs !== undefined) toSloMicros(sloMs);
  const before = await target.getApplication(app, call);
  if (before !== undefined) checkApplication(before, model, inputType);
  const result = await deploy();
  // A deploy takes its time: others may have registered or linked the application meanwhile, with another version of the model for instance.
  const existing = (await target.getApplication(app, call)) ?? (await register(target, request, call));
  if (existing === undefined) return result;
  checkApplication(existing, model, inputType);
  if (!existing.linkedModels.includes(model)) {
    await link(target, { app, model, ...(force === undefined ? {} : { force }) }, call);
  }
  return result;
}

/** Registers it linked. @returns the application as somebody else registered it at the same moment; undefined when this call did */
async function register(
  target: DeployTarget,
  request: RegisterApplicationRequest,
  call: CallOptions,
): Promise<RegisteredApplication | undefined> {
  try {
    await target.registerApplication(request, call);
    return undefined;
  } catch (error) {
    if (!ConflictError.isInstance(error) || error.code !== "APPLICATION_EXISTS") throw error;
    return await target.getApplication(request.name, call);
  }
}

async function link(target: DeployTarget, request: LinkRequest, call: CallOptions): Promise<void> {
  try {
    await target.linkModelToApp(request, call);
  } catch (error) {
    if (!ConflictError.isInstance(error) || error.code !== "ALREADY_LINKED") throw error;
    const linked = (await target.getApplication(request.app, call))?.linkedModels;
    if (!linked?.includes(request.model)) throw error;
  }
}

/** What linking would refuse in the end is refused before anything is done. */
function checkApplication(app: RegisteredApplication, model: string, inputType: string): void {
  if (app.inputType !== inputType) {
    throw new ConflictError({
      code: "INPUT_TYPE_MISMATCH",
      message: `application ${app.name} takes ${app.inputType}, and model ${model} would take ${inputType}`,
      hint: "deploy with the application's input type, or name another application",
      facts: { app: app.name, model, appInputType: app.inputType, modelInputType: inputType },
    });
  }
  const other = app.linkedModels.find((linked) => linked !== model);
  if (other !== undefined) {
    throw new ConflictError({
      code: "ALREADY_LINKED",
      message: `application ${app.name} is linked to model ${other}`,
      hint: `unlink it first, or deploy a new version of ${other}`,
      facts: { app: app.name, linked: other, model },
    });
  }
}
