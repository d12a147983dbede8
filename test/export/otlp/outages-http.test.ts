import { testOutages } from "./outages.ts";

testOutages("http/protobuf");
