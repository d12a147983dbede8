import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A message of the DevTools protocol. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export interface View {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
  /** A touch screen of this many pixels a point. */
  readonly phone?: number;
}

type Send = (method: string, params?: object) => Promise<Record<string, unknown>>;

/** What a page came to in a browser. */
class Loaded {
  /** What the console and the browser's own log say, and requests that failed. */
  readonly complaints: readonly string[];
  readonly #send: Send;

  constructor(send: Send, complaints: readonly string[]) {
    this.#send = send;
    this.complaints = complaints;
  }

  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", {
      ...{ expression, returnByValue: true },
    });
    if (exceptionDetails !== undefined)
      throw new Error(`Cannot evaluate: ${JSON.stringify(exceptionDetails)}`);
    const { value, subtype } = result as { value?: unknown; subtype?: string };
    return subtype === "null" ? null : value;
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    // While a page gives way to the next there is nothing to ask.
    const isTrue = () => this.evaluate(expression).catch(() => false);
    for (const end = performance.now() + WAIT_MS; !(await isTrue()); await sleep(50))
      if (performance.now() > end) throw new Error(`It has not come to ${expression}`);
  }

  /** The page as PNG: all of it, or what fits the view. */
  async screenshot({ whole = true }: { readonly whole?: boolean } = {}): Promise<Buffer> {
    const { data } = await this.#send("Page.captureScreenshot", { captureBeyondViewport: whole });
    return Buffer.from(String(data), "base64");
  }
}

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** Nothing is asked of any network but the page under test. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--remote-debugging-port=0",
];
const START_MS = 60_000;
const WAIT_MS = 20_000;

/** A headless Chromium that is told what to do over its DevTools protocol. */
export class Chromium implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  #lastId = 0;

  private constructor(child: ChildProcess, directory: string, socket: WebSocket) {
    this.#child = child;
    this.#directory = directory;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id === undefined) for (const listener of this.#listeners) listener(message);
      else this.#waiting.get(message.id)?.(message);
    });
  }

  static async start(): Promise<Chromium> {
    const program = CANDIDATES.find((path) => existsSync(path));
    if (program === undefined) throw new Error("Cannot find Chromium: apt-get install chromium");
    const directory = await mkdtemp(join(tmpdir(), "tcpretrans-chromium-"));
    const child = spawn(program, [...FLAGS, `--user-data-dir=${directory}`, "about:blank"], {
      stdio: "ignore",
    });
    try {
      const socket = new WebSocket(await debuggerUrl(directory));
      await once(socket, "open");
      return new Chromium(child, directory, socket);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  /** Loads an address in a new tab. */
  async load(url: string, { width, height, scheme, phone }: View): Promise<Loaded> {
    const { targetId } = await this.#send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.#send("Target.attachToTarget", { targetId, flatten: true });
    const send: Send = (method, params = {}) => this.#send(method, params, String(sessionId));
    const complaints: string[] = [];
    const loaded = Promise.withResolvers<void>();
    this.#listeners.add((message) => {
      if (message.sessionId !== sessionId) return;
      if (message.method === "Page.loadEventFired") loaded.resolve();
      const complaint = complaintOf(message);
      if (complaint !== undefined) complaints.push(complaint);
    });
    for (const domain of ["Page", "Runtime", "Log", "Network", "Audits"]) await send(`${domain}.enable`);
    await send("Emulation.setDeviceMetricsOverride", {
      ...{ width, height, deviceScaleFactor: phone ?? 1, mobile: phone !== undefined },
    });
    await send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
    const late = sleep(WAIT_MS, undefined, { ref: false }).then(() => {
      throw new Error(`Cannot load ${url}: nothing has come after ${WAIT_MS / 1000} s`);
    });
    await send("Page.navigate", { url });
    await Promise.race([loaded.promise, late]);
    return new Loaded(send, complaints);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    await this.#send("Browser.close").catch(() => this.#child.kill("SIGKILL"));
    await exited;
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #send(method: string, params = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { result, error } = await promise;
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`Chromium refuses ${method}: ${error.message}`);
    return result ?? {};
  }
}

/** Where the browser listens: it writes that into its directory. */
async function debuggerUrl(directory: string): Promise<string> {
  const file = join(directory, "DevToolsActivePort");
  for (const end = performance.now() + START_MS; performance.now() < end; await sleep(50)) {
    const [port, path] = (await readFile(file, "utf8").catch(() => "")).split("\n");
    if (port && path) return `ws://127.0.0.1:${port}${path}`;
  }
  throw new Error(`Cannot reach Chromium: it does not listen after ${START_MS / 1000} s`);
}

function complaintOf({ method, params }: Message): string | undefined {
  switch (method) {
    case "Runtime.consoleAPICalled":
    case "Runtime.exceptionThrown":
    case "Network.loadingFailed":
    case "Audits.issueAdded":
      return `${method} ${JSON.stringify(params)}`;
    case "Log.entryAdded":
      return `${method} ${JSON.stringify(params?.["entry"])}`;
    default:
      return undefined;
  }
}
