/** Media types of the two formats of /metrics. */
export const OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";
export const PROMETHEUS_TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Whether an Accept header asks for OpenMetrics 1.0 and would not rather have the older text (RFC 9110 §12.5.1). */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  let open = 0;
  let text = 0;
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const version = parameterOf(parameters, "version");
    const quality = Number(parameterOf(parameters, "q") ?? 1);
    if (!(quality >= 0 && quality <= 1)) continue;
    if (type === "application/openmetrics-text" && (version === undefined || version === "1.0.0"))
      open = Math.max(open, quality);
    if (type === "text/plain" && (version === undefined || version === "0.0.4"))
      text = Math.max(text, quality);
  }
  return open > 0 && open >= text;
}

function parameterOf(parameters: readonly string[], name: string): string | undefined {
  const found = parameters.find((parameter) => parameter.startsWith(`${name}=`));
  return found?.slice(name.length + 1).replace(/^"(.*)"$/, "$1");
}
