import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Cause, Outcome, Rung } from "../../src/event/tcp-event.ts";
import { ATTRIBUTES } from "../../src/export/attributes.ts";

const ROOT = join(import.meta.dirname, "../..");
const READY_MS = 120_000;
const END_MS = 120_000;

/** What one `--json` line says, as far as the tests look at it. */
export interface Line {
  readonly cause: Cause;
  readonly outcome: Outcome;
  /** Undefined where nothing tells them: one is assumed. */
  readonly segments: number | undefined;
  /** `error.type` */
  readonly error: string | undefined;
  readonly ports: readonly [local: number, peer: number];
  readonly netns: number | undefined;
}

/** A tcpretrans that runs beside the scenarios. */
export class Product {
  readonly rung: Rung;
  readonly #child: ChildProcess;
  readonly #files: { readonly out: string; readonly err: string };
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<number | null>();

  private constructor(rung: Rung, args: readonly string[], name: string) {
    this.rung = rung;
    this.#files = { out: `${name}.out`, err: `${name}.err` };
    const env = { ...process.env, TCPRETRANS_NODE: process.execPath };
    const out = openSync(this.#files.out, "w");
    const all = [`--probe=${rung}`, ...args];
    this.#child = spawn(join(ROOT, "bin/tcpretrans"), all, { env, stdio: ["ignore", out, "pipe"] });
    const complaints = createWriteStream(this.#files.err);
    const { stderr } = this.#child;
    if (stderr === null) throw new TypeError("Cannot follow tcpretrans: it has no standard error");
    stderr.pipe(complaints);
    createInterface({ input: stderr }).on("line", (line) => {
      if (line.startsWith("Tracing TCP retransmits")) this.#ready.resolve();
    });
    this.#child.on("close", (code) => {
      this.#ended.resolve(code);
      this.#ready.reject(new Error(`Cannot trace: tcpretrans --probe=${rung} ended with exit code ${code}`));
    });
  }

  /** Starts it and waits until its probes are in place. Its output goes to `name`.out, its messages to `name`.err. */
  static async start(rung: Rung, args: readonly string[], name: string): Promise<Product> {
    const product = new Product(rung, args, name);
    const late = setTimeout(() => product.#child.kill("SIGKILL"), READY_MS);
    try {
      await product.#ready.promise;
    } finally {
      clearTimeout(late);
    }
    return product;
  }

  /** Ends it as ^C does and gives its exit code, null when it had to be killed. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGINT");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    const code = await this.#ended.promise;
    clearTimeout(late);
    return code;
  }

  /** What it said beside its output. */
  messages(): string {
    return readFileSync(this.#files.err, "utf8");
  }

  output(): string {
    return readFileSync(this.#files.out, "utf8");
  }

  /** Its `--json` lines. */
  lines(): readonly Line[] {
    const lines = this.output().split("\n");
    return lines.filter((line) => line.startsWith("{")).map(parseLine);
  }
}

function parseLine(text: string): Line {
  const line = JSON.parse(text);
  return {
    cause: line[ATTRIBUTES.retransmitType],
    outcome: line[ATTRIBUTES.outcome],
    segments: line[ATTRIBUTES.segments],
    error: line[ATTRIBUTES.errorType],
    ports: [line[ATTRIBUTES.sourcePort], line[ATTRIBUTES.destinationPort]],
    netns: line[ATTRIBUTES.netns],
  };
}
