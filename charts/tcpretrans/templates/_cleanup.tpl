{{- define "tcpretrans.cleanupLabels" -}}
app.kubernetes.io/name: {{ include "tcpretrans.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: cleanup
{{- end }}

{{- define "tcpretrans.cleanerSpec" -}}
{{- $name := .name }}
{{- with .root -}}
selector:
  matchLabels:
    {{- include "tcpretrans.cleanupLabels" . | nindent 4 }}
updateStrategy:
  type: RollingUpdate
template:
  metadata:
    labels:
      {{- include "tcpretrans.cleanupLabels" . | nindent 6 }}
      {{- include "tcpretrans.commonLabels" . | nindent 6 }}
    {{- with include "tcpretrans.appArmorAnnotation" . }}
    annotations:
      {{- . | nindent 6 }}
    {{- end }}
  spec:
    serviceAccountName: {{ $name }}
    automountServiceAccountToken: false
    enableServiceLinks: false
    terminationGracePeriodSeconds: 5
    {{- with include "tcpretrans.scheduling" . }}
    {{- trim . | nindent 4 }}
    {{- end }}
    initContainers:
      # A start removes what killed agents left, whichever rung they used; this one traces for a second by the rung that every kernel has.
      - name: tcpretrans
        image: {{ include "tcpretrans.image" . }}
        imagePullPolicy: {{ .Values.image.pullPolicy }}
        args: [--probe=tracepoint, --duration, "1"]
        securityContext:
          {{- include "tcpretrans.securityContext" . | nindent 10 }}
        {{- with include "tcpretrans.tracefsMount" . }}
        volumeMounts:
          {{- . | nindent 10 }}
        {{- end }}
    containers:
      - name: done
        image: {{ include "tcpretrans.image" . }}
        imagePullPolicy: {{ .Values.image.pullPolicy }}
        command: [/usr/bin/node, --eval, 'process.once("SIGTERM", () => process.exit()); setInterval(() => {}, 1e9)']
        securityContext:
          runAsNonRoot: true
          runAsUser: 65532
          runAsGroup: 65532
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
          seccompProfile:
            type: RuntimeDefault
    {{- with include "tcpretrans.tracefsVolume" . }}
    volumes:
      {{- . | nindent 6 }}
    {{- end }}
{{- end }}
{{- end }}

{{- define "tcpretrans.cleanupJobSpec" -}}
{{- $name := .name }}
{{- with .root -}}
backoffLimit: 2
activeDeadlineSeconds: {{ add 120 .Values.cleanup.timeoutSeconds }}
template:
  metadata:
    labels:
      app.kubernetes.io/name: {{ include "tcpretrans.name" . }}
      app.kubernetes.io/instance: {{ .Release.Name }}
      app.kubernetes.io/component: cleanup-wait
      {{- include "tcpretrans.commonLabels" . | nindent 6 }}
  spec:
    restartPolicy: Never
    serviceAccountName: {{ $name }}
    automountServiceAccountToken: true
    enableServiceLinks: false
    {{- with include "tcpretrans.scheduling" . }}
    {{- trim . | nindent 4 }}
    {{- end }}
    securityContext:
      runAsNonRoot: true
      runAsUser: 65532
      runAsGroup: 65532
      seccompProfile:
        type: RuntimeDefault
    containers:
      - name: wait
        image: {{ include "tcpretrans.image" . }}
        imagePullPolicy: {{ .Values.image.pullPolicy }}
        command:
          - /usr/bin/node
          - --input-type=module
          - --eval
          - |
            {{- .Files.Get "files/await-cleanup.js" | nindent 12 }}
        env:
          - name: NODE_EXTRA_CA_CERTS
            value: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
          - name: DAEMON_SET
            value: /apis/apps/v1/namespaces/{{ .Release.Namespace }}/daemonsets/{{ $name }}
          - name: TIMEOUT_SECONDS
            value: {{ .Values.cleanup.timeoutSeconds | quote }}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
        resources:
          requests:
            cpu: 50m
            memory: 64Mi
          limits:
            memory: 128Mi
{{- end }}
{{- end }}
