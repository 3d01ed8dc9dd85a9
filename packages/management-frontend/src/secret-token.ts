import { readSecretFile, secretError } from "./secret-file.js";

/** 128 bits in base64. */
const LEAST_CHARACTERS = 22;

/**
 * @returns the cluster's token, from the file `token`
 * @throws ConfigurationError when it is missing, short, or not only its owner's to read
 */
export async function readToken(secretsDirectory: string): Promise<string> {
  const text = await readSecretFile(secretsDirectory, "token");
  if (!/^[\x21-\x7e]+$/.test(text) || text.length < LEAST_CHARACTERS) {
    throw secretError(
      `the file token in it holds no token of at least 128 bits (${LEAST_CHARACTERS} characters)`,
    );
  }
  return text;
}
