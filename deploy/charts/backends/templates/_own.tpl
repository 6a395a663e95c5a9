{{- define "backends.dnsRule" -}}
- to:
    {{- toYaml .Values.global.dns.peers | nindent 4 }}
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{/* The four services and their migrations. */}}
{{- define "backends.services" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/part-of: diary
    matchExpressions:
      - key: app.kubernetes.io/name
        operator: In
        values: [access, documents, journal, notify]
{{- end -}}

{{- define "nats.selector" -}}
app.kubernetes.io/name: nats
app.kubernetes.io/part-of: diary
{{- end -}}

{{- define "nats.labels" -}}
{{ include "nats.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}
