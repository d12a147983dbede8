/** Runs in a virtual machine whose kernel has kprobes: records a storm there. `kprobe-guest DIRECTORY SECONDS`. */
import { join } from "node:path";
import { run } from "../lab/run.ts";
import { recordStorm } from "./product-costs.ts";
import { Storm } from "./storm.ts";

/** As the storm of bench-agent.ts, but for the timeout: an emulated processor would do nothing but time out. */
const STORM = { connections: 256, lossPerMille: 300, mtu: 576, rtoMinMs: 20 };
/** An emulated processor records so many without a loss. */
const PER_SECOND = 1500;
const PRODUCT = join(import.meta.dirname, "../../bin/tcpretrans");

const [directory = "", seconds = ""] = process.argv.slice(2);
await run("mount", ["-t", "tracefs", "tracefs", "/sys/kernel/tracing"]);
using storm = await Storm.open(STORM);
const { retransmits } = await recordStorm(PRODUCT, join(directory, "storm.tcpretrans"), () =>
  storm.blow(Number(seconds), { perSecond: PER_SECOND }),
);
console.log(`recorded a storm of ${retransmits} retransmits`);
