/** Whether an address is of the loopback device, which every network namespace has. */
export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** Whether an address is link-local (169.254.0.0/16, fe80::/10): several namespaces of one host may have it. */
export function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || (address.startsWith("fe") && /^fe[89ab]/.test(address));
}
