import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConfig } from "../../src/config/resolve-config.ts";
import { longFlag, SETTINGS } from "../../src/config/settings.ts";

const flags = (entries: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(entries));

test("resolveConfig() gives the defaults where nothing is set", () => {
  const { config, problems } = resolveConfig(new Map(), {});
  assert.deepEqual(problems, []);
  assert.deepEqual(config?.kubernetes, {
    enabled: "auto",
    scope: "cluster",
    clusterCidrs: [],
    serviceCidrs: false,
    socketLevelServices: false,
    netnsPath: "/var/run/netns",
    tombstones: { seconds: 600, count: 20_000 },
  });
  assert.deepEqual(config.names, { cidrs: [] });
});

test("resolveConfig() lets a flag win over the environment, and the environment over the default", () => {
  const env = {
    TCPRETRANS_SCOPE: "local",
    TCPRETRANS_TOMBSTONE_SECONDS: "30",
    NODE_NAME: "node-a",
    TCPRETRANS_SOCKET_LEVEL_SERVICES: "true",
    TCPRETRANS_SERVICE_CIDRS: "0",
  };
  const { config } = resolveConfig(flags({ "--tombstone-seconds": ["60"], "--node-name": ["node-b"] }), env);
  assert.equal(config?.kubernetes.scope, "local");
  assert.equal(config?.kubernetes.tombstones.seconds, 60);
  assert.equal(config?.kubernetes.nodeName, "node-b");
  assert.equal(config?.kubernetes.socketLevelServices, true);
  assert.equal(config?.kubernetes.serviceCidrs, false);
});

test("resolveConfig() takes lists from repeated flags and from commas in the environment", () => {
  const cidrs = ["--cidr-name", ["office=192.0.2.0/24", "db=2001:db8::7"]] as const;
  const { config } = resolveConfig(flags({ [cidrs[0]]: cidrs[1] }), {
    TCPRETRANS_CLUSTER_CIDRS: "10.0.0.0/8, fd00::/8",
  });
  assert.deepEqual(config?.names.cidrs, [
    { name: "office", cidr: "192.0.2.0/24" },
    { name: "db", cidr: "2001:db8::7" },
  ]);
  assert.deepEqual(config?.kubernetes.clusterCidrs, ["10.0.0.0/8", "fd00::/8"]);
});

test("resolveConfig() treats an empty variable as one that is not set", () => {
  assert.equal(resolveConfig(new Map(), { TCPRETRANS_SCOPE: "" }).config?.kubernetes.scope, "cluster");
});

test("resolveConfig() says everything that is wrong at once, each with what to give", () => {
  const { config, problems } = resolveConfig(
    flags({
      "--scope": ["some"],
      "--tombstone-seconds": ["1.5"],
      "--cidr-name": ["office", "x=10.0.0.0/33"],
      "--cluster-cidr": ["10.0.0.0/8", "nonsense"],
    }),
    { TCPRETRANS_SERVICE_CIDRS: "maybe" },
  );
  assert.equal(config, undefined);
  assert.deepEqual(problems, [
    "Cannot use --scope some: give one of local, cluster",
    "Cannot use --cluster-cidr 10.0.0.0/8 --cluster-cidr nonsense: give an address or a CIDR range, such as 10.0.0.0/8 or 2001:db8::/32",
    "Cannot use TCPRETRANS_SERVICE_CIDRS=maybe: give true or false",
    "Cannot use --tombstone-seconds 1.5: give a whole number from 0 to 86400",
    "Cannot use --cidr-name office --cidr-name x=10.0.0.0/33: give a name and a range, such as office=192.0.2.0/24",
    "Cannot use --cidr-name office --cidr-name x=10.0.0.0/33: give an address or a CIDR range, such as 10.0.0.0/8 or 2001:db8::/32",
  ]);
});

test("SETTINGS have flags and variables that are each used once", () => {
  assert.equal(new Set(SETTINGS.map(longFlag)).size, SETTINGS.length);
  assert.equal(new Set(SETTINGS.map(({ env }) => env)).size, SETTINGS.length);
});
