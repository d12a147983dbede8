/** A query in PromQL with Grafana's variables. */
export interface Query {
  readonly expr: string;
  /** Grafana's template of a series' name; of a table's query the heading of its column. */
  readonly legend: string;
}

interface AnyPanel {
  readonly title: string;
  /** What is shown and how to read it, for someone who sees it for the first time. */
  readonly description: string;
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Columns of 24, and rows of about 30 pixels. */
  readonly width: number;
  readonly height: number;
  /** Why there is no data on a healthy cluster; without it a panel that shows nothing is a fault. */
  readonly emptyByNature?: string;
  readonly decimals?: number;
  /** Values from which on it is yellow and red; where `descending`, below which. */
  readonly thresholds?: Thresholds;
  readonly links?: readonly PanelLink[];
}

export interface Thresholds {
  readonly warning: number;
  readonly bad: number;
  readonly descending?: boolean;
}

/** A link of a value or of a panel; the URL has Grafana's variables. */
export interface PanelLink {
  readonly title: string;
  readonly url: string;
}

/** Lines over time. */
export interface SeriesPanel extends AnyPanel {
  readonly kind: "series";
  readonly stacked?: boolean;
}

/** One number now. */
export interface StatPanel extends AnyPanel {
  readonly kind: "stat";
}

/** The longest bar first. */
export interface BarsPanel extends AnyPanel {
  readonly kind: "bars";
}

/** One row for each combination of labels, one column for each query, the first query's largest value first. */
export interface TablePanel extends AnyPanel {
  readonly kind: "table";
  readonly columns: readonly Column[];
}

/** A label that is a column. */
export interface Column {
  readonly label: string;
  readonly title: string;
}

/** Rows and columns by one label each; one query. */
export interface MatrixPanel extends AnyPanel {
  readonly kind: "matrix";
  readonly row: Column;
  readonly column: Column;
}

export type PanelSource = SeriesPanel | StatPanel | BarsPanel | TablePanel | MatrixPanel;

export interface RowSource {
  readonly title: string;
  readonly panels: readonly PanelSource[];
}

/** A variable that chooses label values. */
export interface VariableSource {
  readonly name: string;
  readonly label: string;
  /** Grafana's `label_values(…)`. */
  readonly query: string;
}

/** A dashboard before it is in Grafana's words. */
export interface DashboardSource {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly VariableSource[];
  readonly rows: readonly RowSource[];
  /** The page that says what is on it, and runbooks. */
  readonly documents: readonly PanelLink[];
}
