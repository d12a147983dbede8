import type { ServiceNaming, Workload } from "../event/cluster.ts";
import { Interner } from "./interner.ts";
import { namingKey } from "./naming.ts";
import type { PodEntry, SharedParts } from "./pod-entry.ts";
import type { SlimPod } from "./slim.ts";

/** A list names the pods of a workload one after the other, and those of other workloads between its events are few. */
const RECENT = 512;

/** Keeps one copy of what many pods have in common. */
export class PodSharing {
  /** Nodes come in any order. */
  readonly #nodes = new Interner<string>();
  readonly #texts = new Interner<string>(RECENT);
  readonly #workloads = new Interner<Workload>(RECENT);
  readonly #namings = new Interner<ServiceNaming>(RECENT);

  parts(slim: SlimPod, known: PodEntry | undefined): SharedParts {
    const { namespace, nodeName, workload, naming } = slim;
    return {
      namespace: this.#text(namespace),
      nodeName: nodeName === undefined ? undefined : this.#nodes.get(nodeName, (text) => text),
      workload: known && isSame(known.workload, workload) ? known.workload : this.#workload(workload),
      naming: naming && this.#namings.get(namingKey(naming), () => this.#naming(naming)),
    };
  }

  #workload({ kind, name, inferred }: Workload): Workload {
    return this.#workloads.get(`${kind}/${name}`, () => ({
      kind: this.#text(kind),
      name: this.#text(name),
      inferred,
    }));
  }

  #naming({ labels, annotations }: ServiceNaming): ServiceNaming {
    return { labels: mapValues(labels, (text) => this.#text(text)), annotations };
  }

  #text(text: string): string {
    return this.#texts.get(text, (copy) => copy);
  }
}

function mapValues(
  members: Readonly<Record<string, string>>,
  to: (text: string) => string,
): Readonly<Record<string, string>> {
  const entries = Object.entries(members);
  return entries.length === 0 ? members : Object.fromEntries(entries.map(([key, text]) => [key, to(text)]));
}

function isSame(a: Workload, b: Workload): boolean {
  return a.kind === b.kind && a.name === b.name && a.inferred === b.inferred;
}
