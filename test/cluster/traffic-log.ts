import { createSocket } from "node:dgram";
import { once } from "node:events";

/** What the pods' program says of itself and its connections: what the test knows, whatever the product finds. */
export interface TrafficReport {
  /** Unix time in ms, by the clock of the pod's node. */
  readonly time: number;
  readonly pod: string;
  readonly event: "start" | "open" | "accept" | "close" | "fail" | "end";
  /** Of a connection that this pod opened. */
  readonly label?: string;
  readonly local?: string;
  readonly peer?: string;
  readonly error?: string;
}

/** A report of a connection that came about. */
export type Connection = TrafficReport & { readonly local: string; readonly peer: string };

/** Collects the datagrams of every pod. */
export class TrafficLog implements AsyncDisposable {
  readonly reports: TrafficReport[] = [];
  readonly #socket = createSocket("udp4");

  static async listen(address: string, port: number): Promise<TrafficLog> {
    const log = new TrafficLog();
    log.#socket.on("message", (bytes) => log.reports.push(JSON.parse(bytes.toString())));
    log.#socket.bind(port, address);
    await once(log.#socket, "listening");
    return log;
  }

  /** Connections as a side of them reported: the opener's have a label. */
  connections(event: "open" | "accept"): readonly Connection[] {
    return this.reports.filter(
      (report): report is Connection =>
        report.event === event && report.local !== undefined && report.peer !== undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
  }
}
