{{- /* What the schema cannot tell: values that do not fit each other. All of it is said at once. */}}
{{- define "tcpretrans.validate" -}}
{{- $problems := list }}
{{- $grace := include "tcpretrans.setting" (list $ "shutdown" "graceSeconds" 20) }}
{{- $given := .Values.terminationGracePeriodSeconds }}
{{- if and (not (kindIs "invalid" $given)) (le (float64 $given) (float64 $grace)) }}
{{- $problems = append $problems (printf "Cannot use terminationGracePeriodSeconds %v: the agent may take %v s to end (config.shutdown.graceSeconds); give more" $given $grace) }}
{{- end }}
{{- if eq (include "tcpretrans.port" . | int) 0 }}
{{- $problems = append $problems "Cannot use config.http.port 0 in a pod: probes must know the port" }}
{{- end }}
{{- if and (include "tcpretrans.servesHttp" .) (include "tcpretrans.loopback" .) (not .Values.hostNetwork) }}
{{- $problems = append $problems (printf "Cannot use config.http.host %s in a pod: the kubelet asks the pod's address; leave it out" (include "tcpretrans.loopback" .)) }}
{{- end }}
{{- if and .Values.priorityClass.create .Values.priorityClassName }}
{{- $problems = append $problems "Cannot use priorityClass.create with priorityClassName: one names the class of the pods, the other makes one; give one" }}
{{- end }}
{{- $surge := get (default dict .Values.updateStrategy.rollingUpdate) "maxSurge" | default 0 }}
{{- if and .Values.hostNetwork (not (has (toString $surge) (list "0" "0%"))) }}
{{- $problems = append $problems "Cannot use hostNetwork with updateStrategy.rollingUpdate.maxSurge: two agents on a node want one port; give maxSurge 0 and maxUnavailable 1" }}
{{- end }}
{{- if and .Values.collector.endpoint (include "tcpretrans.setting" (list $ "otlp" "endpoint" "")) }}
{{- $problems = append $problems "Cannot use collector.endpoint with config.otlp.endpoint: they say the same; give one" }}
{{- end }}
{{- if and (include "tcpretrans.setting" (list $ "otlp" "endpoint" "")) (contains "$(" (include "tcpretrans.setting" (list $ "otlp" "endpoint" ""))) }}
{{- $problems = append $problems "Cannot use a variable in config.otlp.endpoint: give it as collector.endpoint" }}
{{- end }}
{{- with .Values.collector.tls }}
{{- if and .secretName (ne (empty .certificate) (empty .key)) }}
{{- $problems = append $problems "Cannot use collector.tls.certificate without collector.tls.key, nor the other way round: give both" }}
{{- end }}
{{- if and (not .secretName) (or .certificate .key) }}
{{- $problems = append $problems "Cannot use collector.tls.certificate and key: give collector.tls.secretName, which they are in" }}
{{- end }}
{{- end }}
{{- if and (or .Values.serviceMonitor.enabled .Values.podMonitor.enabled) (not (include "tcpretrans.servesHttp" .)) }}
{{- $problems = append $problems "Cannot make a ServiceMonitor or PodMonitor with config.http.enabled false: nothing serves /metrics" }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled (not .Values.service.enabled) }}
{{- $problems = append $problems "Cannot make a ServiceMonitor without service.enabled: it finds the agents by their Service; or give podMonitor.enabled" }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled }}
{{- $problems = append $problems "Cannot make both a ServiceMonitor and a PodMonitor: each agent would be scraped twice; give one" }}
{{- end }}
{{- if and .Values.image.digest (not (hasPrefix "sha256:" .Values.image.digest)) }}
{{- $problems = append $problems "Cannot use image.digest: give sha256:…" }}
{{- end }}
{{- if $problems }}
{{- fail (printf "\n%s" (join "\n" $problems)) }}
{{- end }}
{{- end }}
