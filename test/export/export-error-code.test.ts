import assert from "node:assert/strict";
import { test } from "node:test";
import { OTLPExporterError } from "@opentelemetry/otlp-exporter-base";
import { exportErrorCode, isOfOneRequest, isRefusal } from "../../src/export/export-error-code.ts";

const errors = [
  {
    name: "gRPC's status by name",
    error: Object.assign(new Error("14 UNAVAILABLE"), { code: 14 }),
    code: "UNAVAILABLE",
  },
  { name: "an HTTP status", error: new OTLPExporterError("Bad Request", 400), code: "400" },
  {
    name: "an errno name",
    error: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
    code: "ECONNREFUSED",
  },
  {
    name: "an errno name behind another error",
    error: new Error("x", { cause: Object.assign(new Error(), { code: "EPIPE" }) }),
    code: "EPIPE",
  },
  { name: "other for a code that is none", error: Object.assign(new Error(), { code: 4711 }), code: "other" },
  {
    name: "other for a name of no closed set",
    error: Object.assign(new Error(), { code: "ERR_OF_node-17" }),
    code: "other",
  },
  { name: "other for an error without a code", error: new Error("Nothing to send"), code: "other" },
  { name: "other for what is no error", error: undefined, code: "other" },
];

for (const { name, error, code } of errors) {
  test(`exportErrorCode() gives ${name}`, () => {
    assert.equal(exportErrorCode(error), code);
  });
}

test("isRefusal() and isOfOneRequest() tell what is in a request from what is wrong with its receiver", () => {
  const codes = [
    "400",
    "INVALID_ARGUMENT",
    "413",
    "RESOURCE_EXHAUSTED",
    "503",
    "UNAVAILABLE",
    "ECONNREFUSED",
    "other",
  ];
  assert.deepEqual(codes.filter(isRefusal), ["400", "INVALID_ARGUMENT"]);
  assert.deepEqual(codes.filter(isOfOneRequest), codes.slice(0, 4));
});
