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
{{- with get $image.digests .image }}@{{ . }}{{ end }}
{{- end -}}

{{/* An amount of memory or disk, such as 512Mi, in bytes. */}}
{{- define "service.bytes" -}}
{{- $amount := regexFind "^[0-9]+" (toString .) | int64 -}}
{{- $unit := get (dict "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776) (regexFind "[A-Za-z]+$" (toString .)) -}}
{{- mul $amount (required (printf "%v: write it as a whole number of Mi, Gi or Ti" .) ($unit | default nil)) -}}
{{- end -}}
