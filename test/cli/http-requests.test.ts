import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpRequests } from "../../src/cli/http-requests.ts";

test("HttpRequests.readings() gives what was answered by path and status, refused requests and unknown paths too", () => {
  const requests = new HttpRequests();
  assert.deepEqual(requests.readings(), []);
  for (const status of [200, 503, 503]) requests.answered("/metrics", status);
  requests.answered("/", 200);
  for (const path of ["/a", "/b", "/__proto__"]) requests.answered(path, 404);
  const of = (status: number, route?: string) => ({
    ...(route && { "http.route": route }),
    "http.response.status_code": status,
  });
  assert.deepEqual(requests.readings(), [
    { attributes: of(200, "/metrics"), value: 1 },
    { attributes: of(503, "/metrics"), value: 2 },
    { attributes: of(200, "/"), value: 1 },
    { attributes: of(404), value: 3 },
  ]);
});
