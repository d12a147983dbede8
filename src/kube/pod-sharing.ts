import type { ServiceNaming, Workload } from "../event/cluster.ts";
import { copyText, Interner } from "./interner.ts";
import { namingKey } from "./naming.ts";
import type { PodEntry, SharedParts } from "./pod-entry.ts";
import type { SlimPod } from "./slim.ts";

/** Keeps one copy of what many pods have in common. */
export class PodSharing {
  readonly #texts = new Interner<string>();
  readonly #workloads = new Interner<Workload>();
  readonly #namings = new Interner<ServiceNaming>();

  parts(slim: SlimPod, known: PodEntry | undefined): SharedParts {
    const { namespace, nodeName, workload, naming } = slim;
    return {
      namespace: this.#texts.get(namespace, (text) => text),
      nodeName: nodeName === undefined ? undefined : this.#texts.get(nodeName, (text) => text),
      workload: known && isSame(known.workload, workload) ? known.workload : this.#workload(workload),
      naming: naming && this.#namings.get(namingKey(naming), () => naming),
    };
  }

  #workload({ kind, name, inferred }: Workload): Workload {
    return this.#workloads.get(`${kind}/${name}`, () => ({
      kind: this.#texts.get(kind, (text) => text),
      name: copyText(name),
      inferred,
    }));
  }
}

function isSame(a: Workload, b: Workload): boolean {
  return a.kind === b.kind && a.name === b.name && a.inferred === b.inferred;
}
