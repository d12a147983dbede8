import { DASHBOARDS } from "../../scripts/dashboards/all-dashboards.ts";
import { askPanel, type Scope } from "../../scripts/dashboards/ask-prometheus.ts";

/** What Prometheus answered to one query of a panel. */
export interface PanelAnswer {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
  /** Series with at least one number. */
  readonly series: number;
  /** Why it may have none. */
  readonly emptyByNature: string | undefined;
}

/** Runs every query of every panel against a real Prometheus. */
export async function askEveryPanel(scope: Scope): Promise<readonly PanelAnswer[]> {
  const answers: PanelAnswer[] = [];
  for (const { title: dashboard, rows } of Object.values(DASHBOARDS)) {
    for (const panel of rows.flatMap(({ panels }) => panels)) {
      const answered = await askPanel(panel, scope);
      for (const [i, { expr }] of panel.queries.entries()) {
        const series = answered[i]?.length ?? 0;
        answers.push({ dashboard, panel: panel.title, expr, series, emptyByNature: panel.emptyByNature });
      }
    }
  }
  return answers;
}

/** Those that have neither data nor a reason to have none. */
export function unexplained(answers: readonly PanelAnswer[]): readonly PanelAnswer[] {
  return answers.filter(({ series, emptyByNature }) => series === 0 && emptyByNature === undefined);
}

/** One line for each query. */
export function formatAnswers(answers: readonly PanelAnswer[]): string {
  return answers
    .map(({ dashboard, panel, series, emptyByNature }) => {
      const what = series > 0 ? `${series} series` : `empty: ${emptyByNature ?? "NO REASON STATED"}`;
      return `${dashboard} | ${panel} | ${what}\n`;
    })
    .join("");
}
