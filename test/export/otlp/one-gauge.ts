import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";

/** A producer of one gauge with one point. */
export const oneGauge: MetricProducer = {
  collect: async (): Promise<CollectionResult> => ({
    errors: [],
    resourceMetrics: {
      resource: emptyResource(),
      scopeMetrics: [
        {
          scope: { name: "test" },
          metrics: [
            {
              descriptor: { name: "one.gauge", description: "", unit: "1", valueType: 0 },
              aggregationTemporality: AggregationTemporality.CUMULATIVE,
              dataPointType: DataPointType.GAUGE,
              dataPoints: [{ startTime: [1, 0], endTime: [2, 0], attributes: {}, value: 1 }],
            },
          ],
        },
      ],
    },
  }),
};
