import type { RungSight } from "./rung-sight.ts";

/** Why what a rung counts is no exact number of the kernel's; undefined where it is. */
export function estimateOf({ segments }: Pick<RungSight, "segments">): string | undefined {
  switch (segments) {
    case "kernel":
      return undefined;
    case "computed":
      return undefined; // from the segment's length and the MSS: as many as the kernel counted, measured on 5.10
    case "assumed":
      return "each event counts as one segment, where the kernel may send ten";
  }
}
