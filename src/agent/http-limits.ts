/** Bounds in size, number and time: what asks for health and metrics needs little of each. */
export interface HttpLimits {
  /** Bytes of a request's line and headers. */
  readonly headerBytes: number;
  readonly connections: number;
  /** Requests of one connection that wait for answers at the same time. */
  readonly pipelined: number;
  /** For a request's headers to come, from the connection's begin or the answer before. */
  readonly headersMs: number;
  /** For a whole request. */
  readonly requestMs: number;
  /** Between two requests: longer than the usual scrape interval of 15 s. */
  readonly keepAliveMs: number;
  /** For an answer to be taken, from its request. */
  readonly answerMs: number;
  /** How often headersMs and requestMs are looked at. */
  readonly checkMs: number;
  /** For answers under way at the end. */
  readonly closingMs: number;
  /** Bytes of answers that have not been taken yet, over all connections. */
  readonly waitingBytes: number;
  /** Answers that cost something, the metrics and the page: at once, and a second after them. */
  readonly costly: { readonly burst: number; readonly perSecond: number };
}

export const HTTP_LIMITS: HttpLimits = {
  headerBytes: 8 * 1024,
  connections: 64,
  pipelined: 4,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 20_000,
  answerMs: 30_000,
  checkMs: 1_000,
  closingMs: 1_000,
  waitingBytes: 16 * 1024 * 1024,
  costly: { burst: 20, perSecond: 5 },
};
