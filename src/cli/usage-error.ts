/** The command line cannot be used as it is: one sentence for each problem, all of them at once. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly problems: readonly string[];
  /** What to type for help. */
  readonly help: string;

  constructor(problems: readonly string[], help = "tcpretrans -h") {
    super(problems.join("\n"));
    this.problems = problems;
    this.help = help;
  }
}
