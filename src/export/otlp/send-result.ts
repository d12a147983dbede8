/** What became of a request. */
export type SendResult =
  /** Taken, but for this many records or spans that the server would not have. */
  | { readonly kind: "accepted"; readonly rejected: number; readonly message: string | undefined }
  /** May go better later: the same request is sent again. */
  | (Failure & { readonly kind: "retry"; readonly afterMs: number | undefined })
  /** Would go no better later. */
  | (Failure & { readonly kind: "refused" });

/** Why a request was not taken. */
interface Failure {
  /** Of a small set, as exportErrorCode() gives them. */
  readonly code: string;
  /** For people. */
  readonly sentence: string;
}

/** Sends one request's bytes, gzipped as they are kept; never rejects. Ends early when the signal does. */
export type Send = (gzipped: Uint8Array, signal: AbortSignal) => Promise<SendResult>;

/** Sends, and what goes with it. */
export interface Sender {
  readonly send: Send;
  close(): void;
}

/** Text of a server in a sentence of ours: one line, not long. */
export function quoted(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/** An error's code and message in one text. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? `${error.message} ${error.code}` : error.message;
}
