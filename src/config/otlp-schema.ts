import * as v from "valibot";
import { section } from "./section.ts";
import { endpoint, flag, headers, oneOf, seconds, text } from "./value-schemas.ts";

/** What OTLP needs; of one signal, each key wins over the same key of all signals. */
const signal = {
  endpoint: v.optional(
    v.pipe(
      endpoint(),
      v.description("where the receiver listens; https:// is TLS; without it there is no OTLP"),
    ),
  ),
  protocol: v.optional(v.pipe(oneOf("grpc", "http/protobuf"), v.description("how it is spoken to"))),
  headers: v.optional(
    v.pipe(headers(), v.description("headers of each request; their values are never printed")),
  ),
  timeoutSeconds: v.optional(
    v.pipe(seconds(0, 3600), v.description("how long one attempt may take; 0 is without end")),
  ),
  compression: v.optional(v.pipe(oneOf("gzip", "none"), v.description("of what is sent"))),
  insecure: v.optional(
    v.pipe(flag(), v.description("no TLS for a gRPC endpoint that is written without http:// or https://")),
  ),
  certificate: v.optional(
    v.pipe(
      text("the name of a PEM file"),
      v.description("the authorities that the receiver is trusted by; else Node's"),
    ),
  ),
  clientCertificate: v.optional(
    v.pipe(text("the name of a PEM file"), v.description("the certificate to show to the receiver")),
  ),
  clientKey: v.optional(v.pipe(text("the name of a PEM file"), v.description("the key of that certificate"))),
};

/** How logs, metrics and traces leave over OTLP. */
export const OTLP_SECTION = section({
  ...signal,
  protocol: v.optional(signal.protocol.wrapped, "grpc"),
  headers: v.optional(signal.headers.wrapped, {}),
  timeoutSeconds: v.optional(signal.timeoutSeconds.wrapped, 10),
  compression: v.optional(signal.compression.wrapped, "gzip"),
  insecure: v.optional(signal.insecure.wrapped, false),
  logs: section(signal),
  metrics: section(signal),
  traces: section(signal),
});
