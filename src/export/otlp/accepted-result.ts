import { partlySentence } from "./export-problems.ts";
import type { OtlpTarget } from "./otlp-settings.ts";
import type { PartialSuccess } from "./partial-success.ts";
import type { SendResult } from "./send-result.ts";

/** What the response to a taken request says. */
export function acceptedResult(target: OtlpTarget, partial: PartialSuccess): SendResult {
  const { rejected, message } = partial;
  const isWhole = rejected === 0 && message === "";
  return { kind: "accepted", rejected, message: isWhole ? undefined : partlySentence(target, partial) };
}
