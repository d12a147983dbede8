/**
 * The kernel's own words about one of our definitions, from the text of `error_log` (tracing_log_err,
 * kernel/trace/trace.c, since 5.2). The file keeps the last 8 errors of everybody, and some refusals are not
 * logged at all: only an entry whose Command line is ours counts, the newest of them.
 */
export function findErrorWords(errorLog: string, command: string): string | undefined {
  const ours = squeeze(command);
  let words: string | undefined;
  let candidate: string | undefined;
  for (const line of errorLog.split("\n")) {
    const mark = line.indexOf(": error: ");
    if (line.startsWith("[") && mark >= 0) candidate = line.slice(mark + ": error: ".length).trim();
    else if (line.startsWith("  Command: ") && squeeze(line.slice("  Command: ".length)) === ours)
      words = candidate;
  }
  return words;
}

/** The kernel joins the words of a command again with one space. */
function squeeze(text: string): string {
  return text.trim().split(/\s+/).join(" ");
}
