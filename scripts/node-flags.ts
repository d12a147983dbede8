/** What bin/tcpretrans gives Node before the program, and the image as well; it says there what they are for. */
export const NODE_FLAGS = [
  "--disable-warning=ExperimentalWarning",
  "--disable-sigusr1",
  "--max-semi-space-size=8",
  "--no-allocation-site-pretenuring",
  "--v8-pool-size=1",
  "--no-parallel-scavenge",
  "--no-use-osr",
  "--expose-gc",
] as const;
