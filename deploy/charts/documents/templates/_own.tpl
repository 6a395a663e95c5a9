{{- define "documents.env" }}
- name: DIARY_DOCUMENTS_PORTAL_URL
  value: {{ include "service.portalUrl" . }}
{{ end -}}
{{/* documents has no secrets or ways out of its own. */}}
{{- define "documents.files" }}{{ end -}}
{{- define "documents.egress" }}{{ end -}}
