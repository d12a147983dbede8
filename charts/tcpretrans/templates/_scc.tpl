{{- /* What SecurityContextConstraints must allow for the agents and the cleaner. */}}
{{- define "tcpretrans.scc" -}}
priority: null
groups: []
allowPrivilegedContainer: {{ .Values.privileged }}
allowPrivilegeEscalation: true
allowHostDirVolumePlugin: true
allowHostNetwork: {{ .Values.hostNetwork }}
allowHostPorts: {{ .Values.hostNetwork }}
allowHostPID: false
allowHostIPC: false
readOnlyRootFilesystem: true
defaultAddCapabilities: []
requiredDropCapabilities: []
allowedCapabilities:
  {{- if .Values.privileged }} []
  {{- else }}
  {{- toYaml .Values.capabilities | nindent 2 }}
  {{- end }}
runAsUser:
  type: RunAsAny
seLinuxContext:
  type: RunAsAny
fsGroup:
  type: RunAsAny
supplementalGroups:
  type: RunAsAny
seccompProfiles:
  - "*"
volumes:
  - configMap
  - downwardAPI
  - emptyDir
  - hostPath
  - projected
  - secret
{{- end }}
