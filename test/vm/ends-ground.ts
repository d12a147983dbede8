import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ATTRIBUTES } from "../../src/export/attributes.ts";
import { run } from "../lab/run.ts";
import { Program } from "../support/program.ts";
import { Foreign } from "./foreign.ts";
import { type Flow, Pair, PairPlan } from "./pair.ts";

/** Far from the numbers of the scenarios' pairs. */
const PAIR_NUMBER = 200;
/** What has been acknowledged is not retransmitted; the trace and the tick come after. */
const QUIET_MS = 400;

/** Where the checks of beginnings and ends take place: a connection that loses packets, and other tools' tracing. */
export class EndsGround {
  readonly tracing: string;
  readonly foreign: Foreign;
  readonly pair: Pair;
  readonly #flow: Flow;

  private constructor(tracing: string, pair: Pair, flow: Flow) {
    this.tracing = tracing;
    this.foreign = new Foreign(tracing);
    this.pair = pair;
    this.#flow = flow;
  }

  static async open(tracing: string): Promise<EndsGround> {
    const [pair] = await Pair.create([new PairPlan(PAIR_NUMBER, { name: "ends", family: 4, routed: false })]);
    const flow = await pair!.connect();
    await pair!.lose("server", { match: "meta length > 150 numgen inc mod 7 == 0" });
    return new EndsGround(tracing, pair!, flow);
  }

  /** Makes the kernel retransmit some packets, until all has arrived. */
  async retransmit(rounds = 2): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      this.#flow.burst(8, 2896);
      await this.#flow.delivered();
    }
  }

  /** Retransmits without end, until the function that it gives is called. */
  flowing(): () => Promise<void> {
    let ending = false;
    const loop = (async () => {
      while (!ending) await this.retransmit(1);
    })();
    return async () => {
      ending = true;
      await loop;
    };
  }

  /** Puts this process, and with it the acknowledgements that it causes, on one CPU. */
  async pin(cpus: string): Promise<void> {
    await run("taskset", ["-pc", cpus, String(process.pid)]);
  }

  /** Waits until what was sent is acknowledged, and until that is recorded. */
  async quiet(): Promise<void> {
    await sleep(QUIET_MS);
  }

  /** Starts the program when all is quiet. */
  async trace(args: readonly string[], options?: { readonly stdout: number }): Promise<Watched> {
    await this.quiet();
    const before = this.foreign.sent(this.pair.place.port).length;
    return new Watched(await Program.tracing(args, options), this, before);
  }

  /** What of tcpretrans is in tracefs. */
  ours(): readonly string[] {
    const instances = readdirSync(join(this.tracing, "instances"));
    const probes = readFileSync(join(this.tracing, "dynamic_events"), "utf8").split("\n");
    return [
      ...instances.filter((name) => /^tcpretrans-(agent-[0-9a-f-]+-)?[0-9a-f]{8}$/.test(name)),
      ...probes.filter((line) => /:tcpretrans_[0-9a-f]{8}\//.test(line)).map((line) => line.split(" ")[0]!),
    ];
  }

  /** Throws when something of tcpretrans is left. */
  assertNothingLeft(): void {
    assert.deepEqual(this.ours(), []);
  }
}

/** A running `tcpretrans --json` and what it must have seen. */
export class Watched implements AsyncDisposable {
  readonly program: Program;
  readonly #ground: EndsGround;
  readonly #before: number;
  #instance = "";

  constructor(program: Program, ground: EndsGround, before: number) {
    this.program = program;
    this.#ground = ground;
    this.#before = before;
    this.#instance = program.instance;
  }

  /** Path of its instance, also after its end. */
  get instance(): string {
    return this.#instance;
  }

  /** The lines of its output about the ground's connection, parsed. */
  events(): readonly Record<string, unknown>[] {
    const { port } = this.#ground.pair.place;
    return this.program.lines
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line))
      .filter((event) => [event[ATTRIBUTES.sourcePort], event[ATTRIBUTES.destinationPort]].includes(port));
  }

  get sent(): number {
    return this.events().filter((event) => event[ATTRIBUTES.outcome] === "sent").length;
  }

  /** The CPUs of what was retransmitted since it began, as the other tool saw them. */
  witnessed(): readonly number[] {
    return this.#ground.foreign.sent(this.#ground.pair.place.port).slice(this.#before);
  }

  /** Waits until it has shown every retransmit that the other tool has seen. */
  async showsAll(): Promise<void> {
    await sleep(QUIET_MS);
    const witnessed = this.witnessed().length;
    assert.ok(witnessed > 0, "nothing was retransmitted");
    await this.program
      .until(() => this.sent >= witnessed, "showed all")
      .catch((error: unknown) =>
        assert.fail(`${this.sent} shown, ${witnessed} witnessed; ${error instanceof Error && error.message}`),
      );
    assert.equal(this.sent, witnessed, "shown and witnessed");
  }

  /** Ends it; it must end well and leave nothing of its own. */
  async end(signal: NodeJS.Signals = "SIGINT"): Promise<void> {
    assert.deepEqual(await this.program.stop(signal), { code: 0, signal: null }, this.program.stderr);
    this.assertGone();
  }

  assertGone(): void {
    assert.ok(!existsSync(this.#instance), `${basename(this.#instance)} is left`);
    const id = this.#instance.slice(-8);
    assert.deepEqual(
      this.#ground.ours().filter((name) => name.includes(id)),
      [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}
