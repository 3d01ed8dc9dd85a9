/** Where things lie in the images made here. The user's own images keep their own places. */
const ROOT = "opt/clipper";

export const RUNTIME_PLACE = `${ROOT}/runtime`;
export const ENVIRONMENT_PLACE = `${ROOT}/environment`;
export const BUNDLE_PLACE = `${ROOT}/bundle`;
export const NODE_PLACE = `${ROOT}/bin/node`;
export const FRONTEND_PLACE = `${ROOT}/frontend`;

/** The user all our images run as: no account of any host, as distroless images number it. */
export const USER = { name: "clipper", id: 65_532, home: "/tmp" } as const;
