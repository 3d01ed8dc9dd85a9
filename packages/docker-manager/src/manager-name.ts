/** What this manager calls itself, in errors too. */
export const MANAGER = "docker";
