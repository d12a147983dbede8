import { removeLeftovers } from "../../src/tracefs/leftovers.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";

/** A process that starts over and over, as far as leftovers go, until it is killed. */
const tracefs = openTracefs();
process.stdout.write("sweeping\n");
for (;;) removeLeftovers(tracefs);
