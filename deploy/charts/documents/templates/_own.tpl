{{/* documents has no settings, secrets or ways out of its own. */}}
{{- define "documents.env" }}{{ end -}}
{{- define "documents.files" }}{{ end -}}
{{- define "documents.egress" }}{{ end -}}
