import { openTlsFiles, type TlsFileSettings, type TlsMaterial } from "./tls-files.ts";

/** A client that is kept while the certificates that it was made with stay. */
export interface KeptClient<T> {
  /** The client of now, or why there is none, as a sentence. */
  current(): { readonly client: T } | { readonly sentence: string };
  /** Closes it; the next one is made when it is asked for. */
  close(): void;
}

export interface ClientMaker<T> {
  readonly make: (material: TlsMaterial) => T;
  readonly close: (client: T) => void;
}

/** Keeps a client: makes another when the files of the settings have changed. */
export function keepClient<T>(settings: TlsFileSettings, { make, close }: ClientMaker<T>): KeptClient<T> {
  const tls = openTlsFiles(settings);
  let kept: { readonly client: T; readonly material: TlsMaterial } | undefined;
  const closeKept = () => {
    if (kept !== undefined) close(kept.client);
    kept = undefined;
  };
  return {
    close: closeKept,
    current: () => {
      const state = tls();
      if ("sentence" in state) return state;
      if (kept?.material !== state.material) closeKept();
      kept ??= { client: make(state.material), material: state.material };
      return kept;
    },
  };
}
