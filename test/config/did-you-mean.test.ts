import assert from "node:assert/strict";
import { test } from "node:test";
import { didYouMean } from "../../src/config/did-you-mean.ts";

const WORDS = ["log", "otlp", "intervalSeconds", "exporter", "detail", "maxSeries", "maxSeriesPerMetric"];

for (const { word, meant } of [
  { word: "exportor", meant: "exporter" },
  { word: "Detail", meant: "detail" },
  { word: "maxserie", meant: "maxSeries" },
  { word: "interval", meant: "intervalSeconds" },
  { word: "intervall", meant: "intervalSeconds" },
  { word: "otel", meant: "otlp" },
  { word: "lag", meant: "log" },
  { word: "foo", meant: undefined },
  { word: "dtl", meant: undefined },
  { word: "", meant: undefined },
  { word: "something", meant: undefined },
]) {
  test(`didYouMean() takes "${word}" for ${meant}`, () => assert.equal(didYouMean(word, WORDS), meant));
}
