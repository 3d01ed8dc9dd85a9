/** What a registry knows somebody by. An identity token is traded for short ones. */
export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

/** @returns undefined for a registry that nobody has logged in to: it is asked as anybody */
export type CredentialsFor = (registry: string) => Promise<RegistryCredentials | undefined>;
