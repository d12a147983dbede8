/** Reads what a Prometheus server would scrape, by the rules of both formats' documents; throws where one is broken. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly unit: string | undefined;
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface Building {
  readonly name: string;
  type: string | undefined;
  unit: string | undefined;
  help: string | undefined;
  readonly samples: Sample[];
}

/** Suffixes that samples of a family have, by its type and the format. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total"],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
};

export function parsePrometheus(
  text: string,
  { openMetrics }: { readonly openMetrics: boolean },
): readonly Family[] {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const lines = text.slice(0, -1).split("\n");
  if (openMetrics && lines.pop() !== "# EOF") throw new Error("no # EOF at the end");
  if (!openMetrics && text === "\n") return [];
  const families: Building[] = [];
  for (const line of lines) {
    if (line === "") throw new Error("an empty line");
    if (line.startsWith("#")) describe(families, line, openMetrics);
    else addSample(families, parseSample(line), openMetrics);
  }
  const names = new Set(families.map(({ name }) => name));
  if (names.size !== families.length) throw new Error("a family comes twice");
  return families.map(checkFamily);
}

function describe(families: Building[], line: string, openMetrics: boolean): void {
  const match = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line);
  if (match === null) throw new Error(`no description: ${line}`);
  const [, what = "", name = "", rest = ""] = match;
  let family = families.at(-1);
  if (family === undefined || family.name !== name) {
    family = { name, type: undefined, unit: undefined, help: undefined, samples: [] };
    families.push(family);
  }
  if (family.samples.length > 0) throw new Error(`${what} of ${name} behind its samples`);
  if (what === "HELP" && family.help === undefined) family.help = readEscapes(rest, { quotes: openMetrics });
  else if (what === "TYPE" && family.type === undefined) family.type = rest;
  else if (what === "UNIT" && family.unit === undefined && openMetrics) family.unit = rest;
  else throw new Error(`${what} of ${name} a second time, or not of this format`);
}

function addSample(families: Building[], sample: Sample, openMetrics: boolean): void {
  const family = families.at(-1);
  if (family?.type === undefined) throw new Error(`no TYPE before ${sample.name}`);
  // A counter's family has its suffix in the older format, and has it not in OpenMetrics.
  const suffixes = family.type === "counter" && !openMetrics ? [""] : SUFFIXES[family.type];
  if (suffixes === undefined) throw new Error(`no type ${family.type}`);
  if (!suffixes.some((suffix) => sample.name === `${family.name}${suffix}`)) {
    throw new Error(`${sample.name} is no sample of ${family.name}`);
  }
  family.samples.push(sample);
}

function checkFamily({ name, type, unit, help, samples }: Building): Family {
  if (type === undefined || help === undefined || samples.length === 0)
    throw new Error(`${name} is not whole`);
  if (unit !== undefined && !name.endsWith(`_${unit}`)) throw new Error(`${name} does not end in ${unit}`);
  const keys = new Set(
    samples.map((sample) => `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`),
  );
  if (keys.size !== samples.length) throw new Error(`${name} has a sample twice`);
  if (type === "counter" && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is below 0`);
  if (type === "histogram") checkBuckets(name, samples);
  return { name, type, unit, help, samples };
}

function checkBuckets(name: string, samples: readonly Sample[]): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...others } }) => JSON.stringify(others));
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => parseNumber(labels["le"] ?? ""));
    const counts = buckets.map(({ value }) => value);
    const isAscending = (values: readonly number[]) =>
      values.every((value, i) => i === 0 || value >= values[i - 1]!);
    if (!isAscending(bounds) || !isAscending(counts)) throw new Error(`${name}: buckets out of order`);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name}: no bucket +Inf`);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    if (count !== counts.at(-1)) throw new Error(`${name}: the count is not that of +Inf`);
    if (!group.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name}: no sum`);
  }
}

function parseSample(line: string): Sample {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  let at = name.length;
  const labels: Record<string, string> = {};
  if (line[at] === "{") {
    at++;
    while (line[at] !== "}") {
      const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(,?)/s.exec(line.slice(at));
      if (label === null) throw new Error(`no label at ${at}: ${line}`);
      const [whole, key = "", value = "", comma] = label;
      if (key in labels) throw new Error(`label ${key} twice: ${line}`);
      if (comma === "" && line[at + whole.length] !== "}") throw new Error(`labels do not end: ${line}`);
      labels[key] = readEscapes(value, { quotes: true });
      at += whole.length;
    }
    at++;
  }
  const value = /^ (\S+)$/.exec(line.slice(at));
  if (value === null) throw new Error(`no value: ${line}`);
  return { name, labels, value: parseNumber(value[1] ?? "") };
}

function parseNumber(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  if (!/^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/.test(text)) throw new Error(`no number: ${text}`);
  return Number(text);
}

function readEscapes(text: string, { quotes }: { readonly quotes: boolean }): string {
  return text.replace(/\\(.?)|"/gs, (escaped, char: string | undefined) => {
    if (char === "\\") return "\\";
    if (char === "n") return "\n";
    if (char === '"' && quotes) return '"';
    if (escaped === '"' && !quotes) return '"';
    throw new Error(`no escape: ${escaped} in ${text}`);
  });
}
