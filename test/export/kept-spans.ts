import type { PodRecord } from "../../src/event/cluster.ts";
import type { AttributeValue } from "../../src/export/attributes.ts";
import type { SpanStatus, StartSpan } from "../../src/export/open-span.ts";

export interface KeptSpan {
  readonly name: string;
  readonly pod: PodRecord | undefined;
  readonly startUnixNanos: bigint;
  readonly endUnixNanos: bigint;
  readonly status: SpanStatus;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly events: readonly {
    readonly name: string;
    readonly unixNanos: bigint;
    readonly attributes: Readonly<Record<string, AttributeValue>>;
  }[];
}

/** Spans that are kept in the order of their ends. */
export function keptSpans(): { readonly spans: readonly KeptSpan[]; readonly startSpan: StartSpan } {
  const spans: KeptSpan[] = [];
  let begun = 0;
  const startSpan: StartSpan = ({ name, startUnixNanos, pod }) => {
    begun++;
    const events: KeptSpan["events"][number][] = [];
    return {
      traceId: String(begun).padStart(32, "0"),
      spanId: String(begun).padStart(16, "0"),
      event: (name, unixNanos, attributes) => void events.push({ name, unixNanos, attributes }),
      end: ({ unixNanos, attributes, status }) =>
        void spans.push({ name, pod, startUnixNanos, endUnixNanos: unixNanos, status, attributes, events }),
    };
  };
  return { spans, startSpan };
}
