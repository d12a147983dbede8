/** A collector that takes all that comes by gRPC and looks at nothing: prints its port, and ends with its parent. */
import { Server, ServerCredentials } from "@grpc/grpc-js";

const asIs = (bytes: Buffer) => bytes;
const server = new Server();
for (const signal of ["logs", "metrics", "trace"]) {
  const service = `${signal[0]?.toUpperCase()}${signal.slice(1)}Service`;
  const definition = {
    path: `/opentelemetry.proto.collector.${signal}.v1.${service}/Export`,
    ...{ requestStream: false, responseStream: false },
    ...{
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  } as const;
  server.addService(
    { export: definition },
    {
      export: (_call: unknown, answer: (error: null, bytes: Buffer) => void) => answer(null, Buffer.alloc(0)),
    },
  );
}
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(port);
});
process.on("disconnect", () => process.exit(0));
