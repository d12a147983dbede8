import { testOutages } from "./outages.ts";

testOutages("grpc");
