export interface KubeconfigErrorOptions {
  /** What to do about it: one sentence, no final period. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** The configuration does not say how to reach an API server. Thrown before anything starts. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
  /** What to do about it: one sentence, no final period. */
  readonly remedy: string;

  constructor(message: string, { remedy, cause }: KubeconfigErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.remedy = remedy;
  }
}
