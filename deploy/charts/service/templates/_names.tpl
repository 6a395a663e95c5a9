{{/* Names do not carry the release: a namespace holds one Diary, so that its parts find each other untold. */}}
{{- define "service.name" -}}
diary-{{ .Chart.Name }}
{{- end -}}

{{- define "service.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/part-of: diary
{{- end -}}

{{/* Pods that answer calls, as opposed to the job of migrations. */}}
{{- define "service.serverSelector" -}}
{{ include "service.selector" . }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "service.labels" -}}
{{ include "service.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* Takes a dict of root and image: the name behind diary-. */}}
{{- define "service.image" -}}
{{- $image := .root.Values.global.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}diary-{{ .image }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
