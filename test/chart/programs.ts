import { run } from "../lab/run.ts";

/** The programs that charts are worked on with, by their paths. */
export interface ChartPrograms {
  readonly helm3: string;
  readonly helm4: string;
  readonly helmDocs: string;
}

/** Finds them: HELM3, HELM4 and HELM_DOCS name them, else they are on the path as helm3, helm4 and helm-docs. */
export async function findChartPrograms(env: NodeJS.ProcessEnv): Promise<ChartPrograms> {
  const find = async (variable: string, program: string) => {
    const path = env[variable] ?? program;
    const found = (await run("sh", ["-c", 'command -v "$1"', "sh", path]).catch(() => "")).trim();
    if (found === "") throw new Error(`Cannot find ${program}: ${variable} may name it`);
    return found;
  };
  return {
    helm3: await find("HELM3", "helm3"),
    helm4: await find("HELM4", "helm4"),
    helmDocs: await find("HELM_DOCS", "helm-docs"),
  };
}
