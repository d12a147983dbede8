import { constants } from "node:os";

/** errno names by number; where two share one (EAGAIN, EWOULDBLOCK) the one that Linux lists first. */
const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

/**
 * Names the kernel's return value: `EBUSY` for -16, `NET_XMIT_DROP` for 1 (include/linux/netdevice.h);
 * undefined for 0 and where the kernel does not tell.
 */
export function formatError(error: number | undefined): string | undefined {
  if (error === undefined || error === 0) return undefined;
  if (error < 0) return ERRNO_NAMES.get(-error) ?? `ERRNO_${-error}`;
  return error === 1 ? "NET_XMIT_DROP" : `NET_XMIT_${error}`;
}
