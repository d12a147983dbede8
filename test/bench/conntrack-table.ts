import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConntrackPair } from "../../src/host/conntrack-answer.ts";
import { NETLINK_NETFILTER } from "../../src/host/conntrack-netlink.ts";
import { insideNetwork } from "../../src/host/inside-network.ts";
import type { Libc } from "../../src/syscall/libc.ts";

/** A namespace whose connection tracking holds made-up entries, DNAT to a backend each; little endian machines only. */
export class ConntrackTable implements AsyncDisposable {
  readonly #name = `tcprx-ct-${randomBytes(3).toString("hex")}`;
  readonly #libc: Libc;
  /** Stands for the /proc of a host whose process 1 is in the namespace. */
  readonly procRoot = mkdtempSync(join(tmpdir(), "conntrack-bench-"));
  #holder: ReturnType<typeof spawn> | undefined;
  #fd = -1;

  private constructor(libc: Libc) {
    this.#libc = libc;
  }

  static async open(libc: Libc): Promise<ConntrackTable> {
    const table = new ConntrackTable(libc);
    execFileSync("ip", ["netns", "add", table.#name]);
    table.#holder = spawn("ip", ["netns", "exec", table.#name, "sleep", "600"], { stdio: "ignore" });
    symlinkSync(`/proc/${table.#holder.pid}`, join(table.procRoot, "1"));
    for (const name of ["self", "thread-self"]) symlinkSync(`/proc/${name}`, join(table.procRoot, name));
    const open = () => libc.netlinkSocket(NETLINK_NETFILTER);
    table.#fd = insideNetwork(`/run/netns/${table.#name}`, open, { procRoot: "/proc", libc });
    return table;
  }

  /** The opener's pair of an entry. */
  static pair(index: number): ConntrackPair {
    return {
      ipVersion: 4,
      localAddress: `10.244.${(index >> 16) & 255}.${(index >> 8) & 255}`,
      localPort: 20_000 + (index & 255),
      peerAddress: `10.96.0.${1 + (index % 200)}`,
      peerPort: 443,
    };
  }

  /** Adds entries of so many indexes; throws where the kernel takes none. */
  add(from: number, count: number): void {
    const answer = new Uint8Array(new ArrayBuffer(8192));
    for (let index = from; index < from + count; index++) {
      this.#libc.write(this.#fd, newEntry(ConntrackTable.pair(index)));
      const got = this.#libc.read(this.#fd, answer);
      const errno = new DataView(answer.buffer).getInt32(16, true);
      if (got < 20 || errno !== 0) throw new Error(`Cannot add entry ${index}: errno ${-errno}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#holder?.kill();
    execFileSync("ip", ["netns", "del", this.#name]);
    rmSync(this.procRoot, { recursive: true });
  }
}

/** IPCTNL_MSG_CT_NEW of an established TCP connection (include/uapi/linux/netfilter/nfnetlink_conntrack.h). */
function newEntry(pair: ConntrackPair): Uint8Array {
  const backend = `10.245.${pair.peerAddress.split(".").slice(2).join(".")}`;
  const body = Buffer.concat([
    Buffer.from([2, 0, 0, 0]), // AF_INET
    tuple(1, {
      from: pair.localAddress,
      fromPort: pair.localPort,
      to: pair.peerAddress,
      toPort: pair.peerPort,
    }),
    tuple(2, { from: backend, fromPort: 8443, to: pair.localAddress, toPort: pair.localPort }),
    attribute(7, Buffer.from([0, 0, 14, 16])), // CTA_TIMEOUT: 3600 s
    attribute(4 | 0x8000, attribute(1 | 0x8000, attribute(1, Buffer.from([3])))), // CTA_PROTOINFO: ESTABLISHED
  ]);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(0x0100, 4); // CT_NEW
  header.writeUInt16LE(0x0405, 6); // NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE
  return new Uint8Array(Buffer.concat([header, body]));
}

interface Ends {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
}

function tuple(type: number, { from, fromPort, to, toPort }: Ends): Buffer {
  const address = (text: string) => Buffer.from(text.split(".").map(Number));
  const port = (number: number) => Buffer.from([number >> 8, number & 255]);
  const ip = Buffer.concat([attribute(1, address(from)), attribute(2, address(to))]);
  const proto = [attribute(1, Buffer.from([6])), attribute(2, port(fromPort)), attribute(3, port(toPort))];
  const parts = [attribute(1 | 0x8000, ip), attribute(2 | 0x8000, Buffer.concat(proto))];
  return attribute(type | 0x8000, Buffer.concat(parts));
}

function attribute(type: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + ((payload.length + 3) & ~3));
  bytes.writeUInt16LE(4 + payload.length, 0);
  bytes.writeUInt16LE(type, 2);
  payload.copy(bytes, 4);
  return bytes;
}
