import { goProgram } from "../lab/cluster/go-tools.ts";
import { labDir } from "../lab/lab-dir.ts";

/** The programs that charts are worked on with, by their paths. */
export interface ChartPrograms {
  readonly helm3: string;
  readonly helm4: string;
  readonly helmDocs: string;
}

/** Finds them: HELM3, HELM4 and HELM_DOCS name them, else they are built once. */
export async function findChartPrograms(env: NodeJS.ProcessEnv): Promise<ChartPrograms> {
  const find = async (variable: string, program: string) =>
    env[variable] ?? (await goProgram(labDir(env), program, (text) => console.log(text)));
  return {
    helm3: await find("HELM3", "helm3"),
    helm4: await find("HELM4", "helm4"),
    helmDocs: await find("HELM_DOCS", "helm-docs"),
  };
}
