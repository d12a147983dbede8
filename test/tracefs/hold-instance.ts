import { openLibc } from "../../src/syscall/libc.ts";
import { defineProbe } from "../../src/tracefs/dynamic-events.ts";
import { Instance } from "../../src/tracefs/instance.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";

/** A process that makes an instance, with the probe in its first argument if there is one, and waits to be killed. */
const tracefs = openTracefs({ libc: openLibc() });
const instance = Instance.create(tracefs, { bufferSizeKb: 64 });
const [probe] = process.argv.slice(2);
if (probe !== undefined) {
  defineProbe(tracefs, `p:${instance.group}/held ${probe}`);
  instance.enable(instance.group, "held");
}
process.stdout.write(`${instance.id}\n`);
setInterval(() => {}, 60_000);
