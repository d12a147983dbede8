{{- /* A file of rules/ with the place of the runbooks; without one alerts have no link. */}}
{{- define "tcpretrans.rules" -}}
{{- $root := index . 0 }}
{{- $text := $root.Files.Get (index . 1) }}
{{- with $root.Values.docsUrl }}
{{- $text = $text | replace "DOCS_URL" (trimSuffix "/" .) }}
{{- else }}
{{- $text = regexReplaceAll "(?m)^ *runbook_url: .*\n" $text "" }}
{{- end }}
{{- $text }}
{{- end }}

{{- /* A file of dashboards/, likewise. */}}
{{- define "tcpretrans.dashboard" -}}
{{- $root := index . 0 }}
{{- $text := $root.Files.Get (index . 1) }}
{{- with $root.Values.docsUrl }}
{{- $text | replace "DOCS_URL" (trimSuffix "/" .) }}
{{- else }}
{{- $dashboard := fromJson $text }}
{{- range append $dashboard.panels $dashboard }}
{{- $links := list }}
{{- range .links }}
{{- if not (hasPrefix "DOCS_URL" (default "" .url)) }}
{{- $links = append $links . }}
{{- end }}
{{- end }}
{{- $_ := set . "links" $links }}
{{- end }}
{{- toPrettyJson $dashboard }}
{{- end }}
{{- end }}
