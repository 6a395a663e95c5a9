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

{{/* Without them NATS takes the node's memory and disk for its own, and a full volume ends in I/O errors instead of a refusal. */}}
{{- define "nats.walls" -}}
jetstream {
  store_dir: /data
  # The default of two minutes loses acknowledged messages when the power fails.
  sync_interval: always
  # Of the volume, less what the file system and a compaction take.
  max_file: {{ div (mul (include "service.bytes" .storage.size) 9) 10 }}
  # Diary's streams are kept in files.
  max_mem: {{ div (include "service.bytes" .resources.limits.memory) 8 }}
}
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
