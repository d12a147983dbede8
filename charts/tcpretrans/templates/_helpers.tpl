{{- define "tcpretrans.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "tcpretrans.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "tcpretrans.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- /* 50: what is added behind it must fit into 63 characters. */}}
{{- $full | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "tcpretrans.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tcpretrans.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: agent
{{- end }}

{{- /* Labels of every object; component is the caller's. */}}
{{- define "tcpretrans.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: tcpretrans
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tcpretrans.labels" -}}
{{ include "tcpretrans.selectorLabels" . }}
{{ include "tcpretrans.commonLabels" . }}
{{- end }}

{{- /* Of the pods: nothing that changes with the chart alone, or each release would start them anew. */}}
{{- define "tcpretrans.podLabels" -}}
{{- $own := fromYaml (include "tcpretrans.selectorLabels" .) }}
{{- toYaml (mergeOverwrite (deepCopy .Values.commonLabels) .Values.podLabels (dict "app.kubernetes.io/part-of" "tcpretrans") $own) }}
{{- end }}

{{- define "tcpretrans.metadata" -}}
name: {{ include "tcpretrans.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "tcpretrans.labels" . | nindent 2 }}
{{- with .Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tcpretrans.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tcpretrans.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "tcpretrans.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* A setting of `config` as text, by section, key and default; a section may be null. */}}
{{- define "tcpretrans.setting" -}}
{{- $section := get (index . 0).Values.config (index . 1) | default dict }}
{{- if hasKey $section (index . 2) }}{{ get $section (index . 2) }}{{ else }}{{ index . 3 }}{{ end }}
{{- end }}

{{- /* "true" where names are asked for, and so the API server. */}}
{{- define "tcpretrans.usesApi" -}}
{{- if ne (include "tcpretrans.setting" (list $ "kubernetes" "enabled" true)) "false" }}true{{ end }}
{{- end }}

{{- define "tcpretrans.servesHttp" -}}
{{- if ne (include "tcpretrans.setting" (list $ "http" "enabled" true)) "false" }}true{{ end }}
{{- end }}

{{- define "tcpretrans.port" -}}
{{- include "tcpretrans.setting" (list $ "http" "port" 9464) | int }}
{{- end }}

{{- /* Where the agent listens, if that is loopback. */}}
{{- define "tcpretrans.loopback" -}}
{{- $host := include "tcpretrans.setting" (list $ "http" "host" "") }}
{{- if or (hasPrefix "127." $host) (eq $host "::1") }}{{ $host }}{{ end }}
{{- end }}

{{- define "tcpretrans.gracePeriod" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds }}
{{- add 10 (ceil (include "tcpretrans.setting" (list $ "shutdown" "graceSeconds" 20))) }}
{{- else }}
{{- int .Values.terminationGracePeriodSeconds }}
{{- end }}
{{- end }}

{{- define "tcpretrans.endpoint" -}}
{{- if .Values.collector.endpoint }}
{{- .Values.collector.endpoint }}
{{- else if .Values.demo.enabled }}
{{- $port := ternary "4317" "4318" (eq .Values.collector.protocol "grpc") }}
{{- printf "http://%s-demo-collector.%s.svc:%s" (include "tcpretrans.fullname" .) .Release.Namespace $port }}
{{- end }}
{{- end }}

{{- /* The file that the agent reads: `config`, and what follows from other values where it does not say so itself. */}}
{{- define "tcpretrans.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $host := deepCopy (default dict $config.host) }}
{{- if and (not .Values.privileged) (not (hasKey $host "tracefsPath")) }}
{{- $_ := set $host "tracefsPath" "/host/sys/kernel/tracing" }}
{{- end }}
{{- $_ := set $config "host" $host }}
{{- $otlp := deepCopy (default dict $config.otlp) }}
{{- with .Values.collector }}
{{- if and (include "tcpretrans.endpoint" $) (not (hasKey $otlp "protocol")) }}
{{- $_ := set $otlp "protocol" .protocol }}
{{- end }}
{{- if .tls.secretName }}
{{- range $key, $file := dict "certificate" .tls.ca "clientCertificate" .tls.certificate "clientKey" .tls.key }}
{{- if and $file (not (hasKey $otlp $key)) }}
{{- $_ := set $otlp $key (printf "/etc/tcpretrans/tls/%s" $file) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if $otlp }}
{{- $_ := set $config "otlp" $otlp }}
{{- end }}
{{- if and .Values.demo.enabled (not (include "tcpretrans.setting" (list $ "metrics" "intervalSeconds" ""))) }}
{{- $_ := set $config "metrics" (mergeOverwrite (deepCopy (default dict $config.metrics)) (dict "intervalSeconds" 15)) }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- /* Where tcpretrans sees the host: the agent's and the cleaner's alike. */}}
{{- define "tcpretrans.securityContext" -}}
{{- $context := dict "runAsUser" 0 "runAsGroup" 0 "runAsNonRoot" false "readOnlyRootFilesystem" true }}
{{- if .Values.privileged }}
{{- $_ := set $context "privileged" true }}
{{- else }}
{{- $_ := set $context "privileged" false }}
{{- /* The API server refuses both of no new privileges and SYS_ADMIN. */}}
{{- $_ := set $context "allowPrivilegeEscalation" (or (has "SYS_ADMIN" .Values.capabilities) (has "CAP_SYS_ADMIN" .Values.capabilities)) }}
{{- $_ := set $context "capabilities" (dict "drop" (list "ALL") "add" .Values.capabilities) }}
{{- $_ := set $context "seccompProfile" (dict "type" "RuntimeDefault") }}
{{- if and .Values.appArmorProfile (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version) }}
{{- $_ := set $context "appArmorProfile" .Values.appArmorProfile }}
{{- end }}
{{- end }}
{{- with .Values.seLinuxOptions }}
{{- $_ := set $context "seLinuxOptions" . }}
{{- end }}
{{- toYaml (mergeOverwrite $context .Values.securityContext) }}
{{- end }}

{{- /* Before 1.30 AppArmor was an annotation. */}}
{{- define "tcpretrans.appArmorAnnotation" -}}
{{- if and (not .Values.privileged) .Values.appArmorProfile (semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version) -}}
{{- $types := dict "Unconfined" "unconfined" "RuntimeDefault" "runtime/default" "Localhost" (printf "localhost/%s" (default "" .Values.appArmorProfile.localhostProfile)) }}
container.apparmor.security.beta.kubernetes.io/tcpretrans: {{ get $types .Values.appArmorProfile.type }}
{{- end }}
{{- end }}

{{- define "tcpretrans.tracefsMount" -}}
{{- if not .Values.privileged -}}
- name: tracefs
  mountPath: /host/sys/kernel/tracing
{{- end }}
{{- end }}

{{- define "tcpretrans.tracefsVolume" -}}
{{- if not .Values.privileged -}}
- name: tracefs
  hostPath:
    path: {{ .Values.hostPaths.tracefs }}
    type: Directory
{{- end }}
{{- end }}

{{- define "tcpretrans.scheduling" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* The agent's environment, as a list; a name that extraEnv has too is left to that. */}}
{{- define "tcpretrans.env" -}}
{{- range $name, $path := dict "NODE_NAME" "spec.nodeName" "POD_NAME" "metadata.name" "POD_NAMESPACE" "metadata.namespace" "HOST_IP" "status.hostIP" }}
- name: {{ $name }}
  valueFrom:
    fieldRef:
      fieldPath: {{ $path }}
{{- end }}
- name: CONTAINER_NAME
  value: tcpretrans
{{- /* The agent has them from its file as well; these are for a tcpretrans that somebody starts beside it. */}}
{{- range $name, $at := dict "TCPRETRANS_HOST_PROC_PATH" (list "host" "procPath") "TCPRETRANS_HOST_CGROUP_PATH" (list "host" "cgroupPath") "TCPRETRANS_NETNS_PATH" (list "kubernetes" "netnsPath") }}
{{- with include "tcpretrans.setting" (list $ (index $at 0) (index $at 1) "") }}
- name: {{ $name }}
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if not (include "tcpretrans.setting" (list $ "http" "host" "")) }}
- name: TCPRETRANS_HTTP_HOST
  {{- if .Values.hostNetwork }}
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
  {{- else }}
  {{- /* All of the pod's own: the kubelet and Prometheus come to its address, `kubectl port-forward` to its loopback. */}}
  value: "::"
  {{- end }}
{{- end }}
{{- /* After HOST_IP: Kubernetes puts in what stands before. */}}
{{- with include "tcpretrans.endpoint" . }}
- name: TCPRETRANS_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with .Values.collector.headersSecret }}
{{- if .name }}
- name: TCPRETRANS_OTLP_HEADERS
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .key }}
{{- end }}
{{- end }}
- name: NODE_OPTIONS
  {{- /* Without a limit the share would be of the node's memory. */}}
  value: {{ ternary (printf "--max-old-space-size-percentage=%d" (int .Values.heapPercent)) "--max-old-space-size=128" (not (empty (.Values.resources.limits).memory)) }}
{{- end }}
