const SHORT_DIGEST = /^[0-9a-f]{12}$/;

/**
 * What an image is, if its name is the one that an image with these labels was planned under. Labels alone do not tell: what somebody
 * builds on an image of ours has them too.
 */
export function plannedRole(
  name: string,
  labels: Readonly<Record<string, string>>,
): "frontend" | "model" | undefined {
  const { "clipper.role": role, "clipper.model": model, "clipper.version": version } = labels;
  const [repository = "", tag = ""] = name.split(":");
  if (role === "frontend" && repository === "clipper/frontend" && SHORT_DIGEST.test(tag)) return "frontend";
  if (model === undefined || version === undefined || repository !== `clipper/${model}`) return undefined;
  const isVersions = tag.startsWith(`${version}-`) && SHORT_DIGEST.test(tag.slice(version.length + 1));
  return isVersions ? "model" : undefined;
}
