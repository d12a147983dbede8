/**
 * A CNI plugin, to be run after the one that makes a pod's link: lets no packet of the link be of more than one segment.
 * A retransmit is one segment then, which rungs that cannot tell the number take it for.
 */
import { readFileSync } from "node:fs";
import { run } from "../run.ts";

const { CNI_COMMAND, CNI_NETNS, CNI_IFNAME } = process.env;

if (CNI_COMMAND === "ADD") {
  const { prevResult } = JSON.parse(readFileSync(0, "utf8"));
  const set = ["ip", "link", "set", String(CNI_IFNAME), "gso_max_segs", "1"];
  await run("nsenter", [`--net=${CNI_NETNS}`, ...set]);
  process.stdout.write(JSON.stringify(prevResult));
}
