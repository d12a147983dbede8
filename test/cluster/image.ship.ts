import assert from "node:assert/strict";
import { test } from "node:test";
import { VERSION } from "../../src/cli/version.ts";
import { checkImage } from "./image.ts";
import { formatCheck } from "./report.ts";

test("the image runs in containerd as the chart's pod does", async () => {
  const { LAB_BIN: bin, IMAGE_ARCHIVE: archive } = process.env;
  if (bin === undefined || archive === undefined)
    throw new Error(
      "LAB_BIN must name a directory with containerd, IMAGE_ARCHIVE what `npm run image -- --output` wrote",
    );
  const image = `tcpretrans.test/tcpretrans:${VERSION}`;
  const checks = await checkImage({ bin, archive, image });
  assert.deepEqual(checks.filter(({ problem }) => problem !== undefined).map(formatCheck), []);
  assert.equal(checks.length, 5);
});
