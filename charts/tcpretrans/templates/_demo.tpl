{{- define "tcpretrans.demoLabels" -}}
app.kubernetes.io/name: {{ include "tcpretrans.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "tcpretrans.demoMetadata" -}}
name: {{ include "tcpretrans.fullname" .root }}-{{ .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "tcpretrans.demoLabels" . | nindent 2 }}
  {{- include "tcpretrans.commonLabels" .root | nindent 2 }}
{{- with .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tcpretrans.demoPod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
nodeSelector:
  kubernetes.io/os: linux
securityContext:
  runAsNonRoot: true
  runAsUser: 65534
  runAsGroup: 65534
  fsGroup: 65534
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "tcpretrans.demoSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "tcpretrans.demoCollectorConfig" -}}
receivers:
  otlp:
    protocols:
      grpc:
        # What an agent sends at once may be 5,000 series.
        endpoint: 0.0.0.0:4317
      http:
        endpoint: 0.0.0.0:4318
processors:
  batch: {}
exporters:
  # Prometheus takes metrics over OTLP; the names are those of /metrics.
  otlphttp/prometheus:
    endpoint: http://{{ include "tcpretrans.fullname" . }}-demo-prometheus.{{ .Release.Namespace }}.svc:9090/api/v1/otlp
  # Events, a few lines each: kubectl logs.
  debug:
    verbosity: detailed
    sampling_initial: 5
    sampling_thereafter: 100
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [batch]
      exporters: [otlphttp/prometheus]
    logs:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
{{- end }}
