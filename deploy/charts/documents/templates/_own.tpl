{{/* documents has no settings, secrets or ways out of its own. */}}
{{- define "documents.env" }}{{ end -}}
{{- define "documents.secrets" }}{{ end -}}
{{- define "documents.egress" }}{{ end -}}
