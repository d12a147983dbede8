import { spawn } from "node:child_process";
import { until } from "../lab/cluster/until.ts";
import type { InstalledChart } from "./installed-chart.ts";
import type { Check } from "./report.ts";

/** A command of the notes as it was run, and what it said. */
export interface NotesAnswer {
  readonly command: string;
  readonly text: string;
}

interface Expected {
  /** How the command begins. */
  readonly begins: RegExp;
  readonly says: RegExp;
  /** In place of a part of the command, where a test need not wait so long. */
  readonly replace?: readonly [string, string];
}

/** What each command of NOTES must say; one that is not here makes the check fail. */
const EXPECTED: readonly Expected[] = [
  { begins: /^kubectl -n \S+ rollout status /, says: /successfully rolled out/ },
  { begins: /^helm test /, says: /Phase: +Succeeded/ },
  {
    begins: /^kubectl -n \S+ exec /,
    says: /^\d\d:\d\d:\d\d .* [RL]> .*$/m,
    replace: ["--duration 60", "--duration 20"],
  },
  { begins: /^kubectl label namespace /, says: /labeled/ },
];

/** Runs every command that `helm install` told, one after the other, while packets are lost; each must do what was told. */
export async function judgeNotes(
  chart: InstalledChart,
): Promise<{ readonly checks: readonly Check[]; readonly answers: readonly NotesAnswer[] }> {
  const checks: Check[] = [];
  const answers: NotesAnswer[] = [];
  const told = commandsOf(chart.notes);
  for (const command of told) {
    const answer = await answerTo(chart, command);
    answers.push(answer);
    const { problem } = answer;
    checks.push({ subject: `NOTES: ${command}`, column: "", problem });
  }
  if (told.length <= EXPECTED.length)
    checks.push({ subject: "NOTES tell commands", column: "", problem: `only ${told.join("; ")}` });
  return { checks, answers };
}

async function answerTo(
  chart: InstalledChart,
  command: string,
): Promise<NotesAnswer & { readonly problem: string | undefined }> {
  if (command.startsWith("kubectl proxy")) return askByProxy(chart, command);
  const expected = EXPECTED.find(({ begins }) => begins.test(command));
  const [from, to] = expected?.replace ?? ["", ""];
  const { code, text } = await chart.shell(from === "" ? command : command.replace(from, to));
  const isRight = code === 0 && expected?.says.test(text);
  return { command, text, problem: isRight ? undefined : `exit code ${code}: ${text}` };
}

/** The page of an agent, at the address that the notes give. */
async function askByProxy(
  chart: InstalledChart,
  command: string,
): Promise<NotesAnswer & { readonly problem: string | undefined }> {
  const url = /http:\/\/\S+/.exec(command)?.[0] ?? "";
  const proxy = spawn(chart.kubectl, ["proxy"], { env: chart.env, stdio: "ignore" });
  const ended = new Promise((resolve) => proxy.on("close", resolve));
  try {
    const text = await until("kubectl proxy", async () => (await fetch(url)).text(), { timeoutMs: 30_000 });
    const isPage = text.includes(": TCP retransmits</title>");
    return { command, text: "", problem: isPage ? undefined : text.slice(0, 500) };
  } catch (error) {
    return { command, text: "", problem: String(error) };
  } finally {
    proxy.kill();
    await ended;
  }
}

/** Lines of the notes that are commands, with the remark that some have. */
function commandsOf(notes: string): readonly string[] {
  return notes
    .split("\n")
    .filter((line) => /^ {2}(kubectl|helm) /.test(line))
    .map((line) => line.trim());
}
