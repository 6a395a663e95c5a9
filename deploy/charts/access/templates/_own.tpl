{{/* access has no settings, secrets or ways out of its own. */}}
{{- define "access.env" }}{{ end -}}
{{- define "access.secrets" }}{{ end -}}
{{- define "access.egress" }}{{ end -}}
