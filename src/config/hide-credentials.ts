/** What stands for a secret. */
export const HIDDEN = "(hidden)";

/** An endpoint without what may be secret in it: the user with its password, and the query, where some receivers take a key. */
export function hideCredentials(endpoint: string): string {
  // A password may hold a slash that nobody escaped: up to the last @.
  return endpoint.replace(/\?.*/s, `?${HIDDEN}`).replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, `$1${HIDDEN}@`);
}

/** Whether a setting's value is an endpoint. */
export function isEndpoint(path: string): boolean {
  return path.split(".").at(-1) === "endpoint";
}
