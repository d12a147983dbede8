/** One record of a tracefs `trace` file, which is text. */
export interface Row {
  readonly cpu: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly stack: string[];
}

/**
 * Reads the text of a `trace` file, in time order. A record is `<idle>-0 [001] ..s1. 12.345678: event: a=1 b=2`. Its
 * stack is a record of its own, by its event `<stack trace>` and then ` => function` lines; others may come between, on
 * this CPU a softirq's with their own stacks.
 */
export function parseRows(text: string): readonly Row[] {
  const rows: Row[] = [];
  const bare = new Map<string, Row[]>();
  let stack: string[] | undefined;
  for (const line of text.split("\n")) {
    const frame = /^ => (\S+)/.exec(line)?.[1];
    if (frame !== undefined) {
      stack?.push(frame);
      continue;
    }
    const [, cpu, event, rest] = /\[(\d+)\].*? \d+\.\d+: (<stack trace>|\w+)(.*)$/.exec(line) ?? [];
    if (cpu === undefined || event === undefined) continue;
    const waiting = bare.get(cpu) ?? [];
    bare.set(cpu, waiting);
    if (event === "<stack trace>") {
      stack = waiting.pop()?.stack;
      continue;
    }
    const fields = [...(rest ?? "").matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]);
    const row = { cpu, event, fields: Object.fromEntries(fields), stack: [] };
    waiting.push(row);
    rows.push(row);
  }
  return rows;
}
