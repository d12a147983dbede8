import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Rung } from "../../src/event/tcp-event.ts";
import { run } from "../lab/run.ts";
import { type Evidence, judgeProduct, judgeScenario } from "./compare.ts";
import { testEnds } from "./ends.ts";
import type { Check, GuestOrder, GuestReport } from "./guest-report.ts";
import { type Family, Pair, PairPlan } from "./pair.ts";
import { Product } from "./product.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { describeSight, rungsOf, sightOf } from "./sight.ts";
import { Witness } from "./witness.ts";

const TRACING = "/sys/kernel/tracing";
const FAMILIES: readonly Family[] = [4, 6];
/** The kernel's last timers and the product's last tick. */
const SETTLE_MS = 1_500;

/** A scenario in one address family. */
interface Case {
  readonly scenario: Scenario;
  readonly pair: Pair;
  /** Why it did not run to its end. */
  error: string | undefined;
}

type Say = (text: string) => void;

/** Runs in the virtual machine: the groups of checks that were asked for, one after the other. */
async function main(outDir: string): Promise<void> {
  const started = performance.now();
  const say: Say = (text) => console.log(`${((performance.now() - started) / 1000).toFixed(0)} s: ${text}`);
  const order: GuestOrder = JSON.parse(readFileSync(join(outDir, "order.json"), "utf8"));
  await run("mount", ["-t", "tracefs", "tracefs", TRACING]);
  const checks: Check[] = [];
  if (order.groups.includes("scenarios")) checks.push(...(await testScenarios(order, outDir, say)));
  if (order.groups.includes("ends")) checks.push(...(await testEnds(TRACING, say)));
  const report: GuestReport = { release: release(), checks };
  writeFileSync(join(outDir, "report.json"), JSON.stringify(report, undefined, 1));
  say(`${checks.filter(({ problem }) => problem !== undefined).length} of ${checks.length} checks failed`);
}

/** Makes every cause while every rung that was asked for watches, and compares. */
async function testScenarios(order: GuestOrder, outDir: string, say: Say): Promise<readonly Check[]> {
  const witness = new Witness(TRACING, { returns: rungsOf(release()).includes("eprobe") });
  const cases = await makeCases(order.scenarios);
  say(`${cases.length} pairs of namespaces made`);
  const watch = await startProducts(order.rungs, cases, outDir);
  say(`${watch.products.length + 1} tcpretrans ready`);
  await runCases(cases, say);
  await sleep(SETTLE_MS);
  const missed = witness.missed();
  if (missed > 0) say(`the kernel skipped ${missed} kprobe hits`);
  const codes = await Promise.all(watch.products.map((product) => product.stop()));
  await watch.plain.stop();
  say("tcpretrans ended");
  const evidence = gather(cases, witness, missed);
  const checks: Check[] = judgeCases(cases, evidence);
  for (const [i, product] of watch.products.entries()) {
    const code = codes[i] ?? null;
    checks.push(...judgeLines(product, cases, evidence));
    const problem = code === 0 ? undefined : `exit code ${code}: ${join(outDir, product.rung)}.err`;
    checks.push({ rung: product.rung, family: 0, scenario: "verify", problem, shown: "yes" });
  }
  checks.push(...plainRows(watch.plain, cases));
  const problem = witness.complaints().join("; ") || undefined;
  return [...checks, { rung: "all", family: 0, scenario: "nothing-left", problem }];
}

async function makeCases(names: readonly string[] | undefined): Promise<readonly Case[]> {
  const chosen = SCENARIOS.filter(({ name }) => names === undefined || names.includes(name));
  const wanted = chosen.flatMap((scenario) => FAMILIES.map((family) => ({ scenario, family })));
  const plans = wanted.map(
    ({ scenario: { name, routed = false }, family }, i) => new PairPlan(i + 1, { name, family, routed }),
  );
  const pairs = await Pair.create(plans);
  return pairs.map((pair, i) => ({ scenario: wanted[i]!.scenario, pair, error: undefined }));
}

/** One for each rung, and one that prints rows for people about the scenario that counts to 23. */
async function startProducts(rungs: readonly Rung[], cases: readonly Case[], outDir: string) {
  mkdirSync(outDir, { recursive: true });
  const products = rungs.map((rung) => {
    const stacks = rung === "tracepoint" ? ["-s"] : []; // there they make the cause
    return Product.start(rung, ["--json", "-l", "--verify", ...stacks], join(outDir, rung));
  });
  const ports = cases.filter(isCounted).map(({ pair }) => `--port=${pair.place.port}`);
  const plain = Product.start(rungs[0]!, ports, join(outDir, "plain"));
  return { products: await Promise.all(products), plain: await plain };
}

async function runCases(cases: readonly Case[], say: Say): Promise<void> {
  for (const heavy of [false, true]) {
    const now = cases.filter(({ scenario }) => (scenario.heavy ?? false) === heavy);
    await Promise.all(
      now.map(async (one) => {
        await one.scenario.run(one.pair).catch((error: unknown) => {
          one.error = error instanceof Error ? error.message : String(error);
        });
      }),
    );
    say(heavy ? "load has run" : "scenarios have run");
  }
}

function gather(cases: readonly Case[], witness: Witness, missed: number): readonly Evidence[] {
  const sightings = witness.sightings();
  return cases.map(({ scenario, pair }) => ({
    scenario,
    sightings: sightings.filter(({ ports }) => ports.includes(pair.place.port)),
    counters: pair.counters(),
    missed,
  }));
}

function judgeCases(cases: readonly Case[], evidence: readonly Evidence[]): Check[] {
  return cases.map(({ scenario, pair, error }, i) => {
    const faults = [...(error === undefined ? [] : [error]), ...judgeScenario(evidence[i]!)];
    return {
      rung: "witness",
      family: pair.family,
      scenario: scenario.name,
      problem: faults.join("; ") || undefined,
    };
  });
}

function judgeLines(
  product: Product,
  cases: readonly Case[],
  evidence: readonly Evidence[],
): readonly Check[] {
  const lines = product.lines();
  const sight = sightOf(product.rung, release());
  return cases.map(({ scenario, pair }, i) => {
    const own = lines.filter(({ ports }) => ports.includes(pair.place.port));
    const faults = [...judgeProduct(own, evidence[i]!, sight)];
    const inums = [pair.client.inum, pair.server.inum];
    const astray = own.filter(({ netns }) => netns !== undefined && !inums.includes(netns)).length;
    if (astray > 0) faults.push(`${astray} lines of another network namespace`);
    // The comparison itself must be able to fail.
    const exact = { ...evidence[i]!, missed: 0 };
    if (own.length > 0 && judgeProduct(own.slice(1), exact, sight).length === 0) {
      faults.push("a missing line goes unnoticed");
    }
    const problem = faults.join("; ") || undefined;
    const shown = describeSight(scenario, sight);
    return { rung: product.rung, family: pair.family, scenario: scenario.name, problem, shown };
  });
}

/** 23 forced retransmits are 23 rows. */
function plainRows(plain: Product, cases: readonly Case[]): readonly Check[] {
  const rows = plain.output().split("\n");
  return cases.filter(isCounted).map(({ scenario, pair }) => {
    const seen = rows.filter((row) => row.includes(" R> ") && row.includes(`:${pair.place.port} `)).length;
    const problem = seen === 23 ? undefined : `${seen} R> rows`;
    return { rung: "rows", family: pair.family, scenario: scenario.name, problem };
  });
}

function isCounted({ scenario }: Case): boolean {
  return scenario.name === "twenty-three";
}

await main(process.argv[2] ?? "/run/lab");
process.exit(0); // sockets are still open
