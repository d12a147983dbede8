import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkFile } from "../../src/config/check-file.ts";
import { parseConfigFile } from "../../src/config/config-file.ts";
import { resolveConfig } from "../../src/config/resolve-config.ts";
import { FUZZ_RUNS, mutatedText } from "../support/fuzz.ts";

const parse = (text: string) => parseConfigFile(text, "a.yaml");
const problems = (text: string) => resolveConfig(new Map(), {}, { file: parse(text) }).problems;

for (const text of ["", "# nothing\n", "---\n", "kubernetes:\nlog:\n", "otlp: {logs: }"]) {
  test(`parseConfigFile() takes ${JSON.stringify(text)} for a file that sets nothing`, () => {
    assert.deepEqual(problems(text), []);
  });
}

const broken = [
  {
    text: "log: {level: info",
    problem: /^a\.yaml:1:18: Cannot read the file: Flow map .* must be .* and end with a }$/,
  },
  {
    text: "log:\n  level: info\n  level: warn\n",
    problem: /^a\.yaml:3:3: Cannot read the file: Map keys must be unique$/,
  },
  { text: "log:\n\tlevel: info\n", problem: /^a\.yaml:2:1: Cannot read the file: Tabs are not allowed/ },
  { text: "log: !secret x\n", problem: /^a\.yaml:1:6: Cannot read the file: Unresolved tag: !secret$/ },
  { text: "demo: *b\n", problem: /^a\.yaml:1:7: Cannot read the file: no anchor before it is named &b$/ },
  {
    text: "demo: true\n---\ndemo: false\n",
    problem: /^a\.yaml:2:1: Cannot read the file: a second document begins here; give one$/,
  },
  { text: "? [a]\n: b\n", problem: /^a\.yaml:1:3: Cannot read the file: .*keys must be strings$/ },
  { text: "- demo\n", problem: /^a\.yaml:1:1: Cannot use the file: give keys with their values$/ },
  { text: "demo", problem: /^a\.yaml:1:1: Cannot use the file: give keys with their values$/ },
];
for (const { text, problem } of broken) {
  test(`parseConfigFile() refuses ${JSON.stringify(text)}`, () => {
    const [first, ...rest] = problems(text);
    assert.match(first ?? "", problem);
    assert.deepEqual(rest, []);
  });
}

test("parseConfigFile() says every place that is no YAML", () => {
  assert.deepEqual(
    parse("log: !a x\ndemo: !b y\n").problems.map((problem) => problem.slice(0, 10)),
    ["a.yaml:1:6", "a.yaml:2:7"],
  );
});

test("parseConfigFile() takes anchors, and refuses those that grow beyond all bounds", () => {
  const shared = "otlp:\n  logs: &same {timeoutSeconds: 3}\n  traces: *same\n";
  assert.deepEqual(problems(shared), []);
  const levels = Array.from({ length: 9 }, (_, at) => {
    const alias = at === 0 ? "x" : `*a${at - 1}`;
    return `  a${at}: &a${at} [${Array(9).fill(alias).join(", ")}]`;
  });
  assert.deepEqual(problems(`resource:\n${levels.join("\n")}\n`), [
    "a.yaml:1:1: Cannot use the file: give fewer aliases (*): they stand for more than a configuration can hold",
  ]);
});

test("checkFile() and resolveConfig() say once what is wrong with a value in two ways", () => {
  assert.deepEqual(checkFile(parse("http: {port: 1e400}\n")), [
    "a.yaml:1:14: Cannot use http.port Infinity: give a whole number from 0 to 65535",
  ]);
  assert.deepEqual(resolveConfig(new Map([["--http-port", ["70000.5"]]]), {}).problems, [
    "Cannot use --http-port 70000.5: give a whole number from 0 to 65535",
  ]);
});

test("parseConfigFile() refuses an alias inside what it names", () => {
  assert.deepEqual(problems("http: &a\n  port: *a\nresource: {attributes: &b {c: [*b]}}\n"), [
    "a.yaml:2:9: Cannot read the file: *a stands inside &a",
    "a.yaml:3:32: Cannot read the file: *b stands inside &b",
  ]);
});

test("parseConfigFile() keeps keys that JavaScript has a meaning for", () => {
  assert.deepEqual(problems("__proto__: {demo: true}\nlog: {constructor: 1, toString: 2}\n"), [
    "a.yaml:1:1: Unknown key __proto__: give kubernetes, names, host, capture, http, events, log, metrics, logs, traces, otlp, queue, resource, shutdown, demo",
    "a.yaml:2:7: Unknown key log.constructor: give level, format",
    "a.yaml:2:23: Unknown key log.toString: give level, format",
  ]);
});

test("checkFile() says every unknown key, with what was most likely meant", () => {
  const text = `metrcis: {}
scope: local
otlp.endpoint: x
nonsense: 1
kubernetes:
  Scope: local
  tombstones: {cuont: 3}
metrics:
  interval: 60
names:
  cidrs: [{name: a, cidr: 10.0.0.0/8, description: b}]
`;
  assert.deepEqual(checkFile(parse(text)), [
    "a.yaml:1:1: Unknown key metrcis: did you mean metrics?",
    "a.yaml:2:1: Unknown key scope: did you mean kubernetes.scope?",
    "a.yaml:3:1: Unknown key otlp.endpoint: write otlp: endpoint, each key on a line of its own",
    "a.yaml:4:1: Unknown key nonsense: give kubernetes, names, host, capture, http, events, log, metrics, logs, traces, otlp, queue, resource, shutdown, demo",
    "a.yaml:6:3: Unknown key kubernetes.Scope: did you mean kubernetes.scope?",
    "a.yaml:7:16: Unknown key kubernetes.tombstones.cuont: did you mean kubernetes.tombstones.count?",
    "a.yaml:9:3: Unknown key metrics.interval: did you mean metrics.intervalSeconds?",
    "a.yaml:11:39: Unknown key names.cidrs[0].description: give name, cidr",
  ]);
});

test("checkFile() says every value that cannot be used, where it stands, and hides what is secret", () => {
  const text = `kubernetes:
  enabled: maybe
  clusterCidrs: [10.0.0.0/8, 10.0.0.0/33]
names:
  cidrs:
    - {cidr: 10.0.0.0/8}
    - office
host: {procPath: proc}
http: 80
log:
  level: ~
otlp:
  endpoint: ftp://receiver
  headers: {authorization: 5, "a b": c}
resource:
  attributes: {team: 5}
demo: yes
`;
  assert.deepEqual(checkFile(parse(text)), [
    "a.yaml:2:12: Cannot use kubernetes.enabled maybe: give one of auto, true, false",
    "a.yaml:3:30: Cannot use kubernetes.clusterCidrs[1] 10.0.0.0/33: give an address or a CIDR range, such as 10.0.0.0/8 or 2001:db8::/32",
    "a.yaml:6:7: Cannot use names.cidrs[0].name: give a name and a range, such as office=192.0.2.0/24",
    "a.yaml:7:7: Cannot use names.cidrs[1] office: give a name and a range, such as office=192.0.2.0/24",
    "a.yaml:8:18: Cannot use host.procPath proc: give the path of a directory, from / on",
    "a.yaml:9:7: Cannot use http 80: give keys with their values, or leave it out",
    "a.yaml:11:10: Cannot use log.level: give one of debug, info, warn, error",
    "a.yaml:13:13: Cannot use otlp.endpoint ftp://receiver: give a URL such as http://collector:4317, without a user (credentials are otlp.headers), or for gRPC host:port or unix:/path",
    "a.yaml:14:28: Cannot use otlp.headers.authorization: give a text of printable ASCII",
    "a.yaml:14:31: Cannot use otlp.headers.a b: give a header's name: letters, digits and - _ . only",
    "a.yaml:16:22: Cannot use resource.attributes.team 5: give a text (quote numbers and true)",
    "a.yaml:17:7: Cannot use demo yes: give true or false",
  ]);
});

test("resolveConfig() has an answer for every text of a file", () => {
  const seed =
    "kubernetes: {scope: local}\nnames:\n  cidrs: &c [{name: a, cidr: 10.0.0.0/8}]\notlp:\n  endpoint: http://c:1\n";
  fc.assert(
    fc.property(mutatedText(seed), (text) => {
      const { config, problems } = resolveConfig(new Map(), {}, { file: parse(text) });
      assert.equal(config === undefined, problems.length > 0);
    }),
    { numRuns: Math.min(FUZZ_RUNS.numRuns, 500) },
  );
});
