import { readFileSync, statSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { OtlpSettings } from "./otlp-settings.ts";

/** What is in the files, in PEM; undefined where there is no such file in the settings. */
export interface TlsMaterial {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** Material that can be used now, the same object for as long as it stays; or why there is none, as a sentence. */
export type TlsState = { readonly material: TlsMaterial } | { readonly sentence: string };

export type TlsFileSettings = Pick<OtlpSettings, "certificate" | "clientCertificate" | "clientKey">;

/**
 * Certificates and key of the settings as they are now: looks whether the files are others (a mounted Secret is changed
 * by a link, `..data`) and reads them when they are. What does not fit together, as in the middle of a change, leaves the
 * last that did.
 */
export function openTlsFiles(settings: TlsFileSettings): () => TlsState {
  const paths = [settings.certificate, settings.clientCertificate, settings.clientKey] as const;
  let print: string | undefined;
  let material: TlsMaterial | undefined;
  return () => {
    try {
      const now = paths.map(printOf).join("\n");
      if (material === undefined || now !== print) {
        material = readMaterial(paths);
        print = now;
      }
      return { material };
    } catch (error) {
      return material === undefined ? { sentence: unusable(error) } : { material };
    }
  };
}

function printOf(path: string | undefined): string {
  if (path === undefined) return "";
  const { dev, ino, mtimeMs, size } = statSync(path);
  return `${dev} ${ino} ${mtimeMs} ${size}`;
}

function readMaterial(
  paths: readonly [string | undefined, string | undefined, string | undefined],
): TlsMaterial {
  const [ca, cert, key] = [read(paths[0]), read(paths[1]), read(paths[2])];
  // Throws where they are no certificates, or the key is not that of the certificate.
  createSecureContext({ ca, cert, key });
  return { ca, cert, key };
}

function read(path: string | undefined): Buffer | undefined {
  return path === undefined ? undefined : readFileSync(path);
}

function unusable(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  return `Cannot use the files of otlp.certificate, otlp.clientCertificate and otlp.clientKey: ${said}`;
}
