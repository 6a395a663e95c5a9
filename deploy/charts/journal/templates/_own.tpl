{{- define "journal.env" }}
- name: DIARY_JOURNAL_CARDS_MEGABYTES
  value: {{ .Values.cardsMegabytes | quote }}
{{- end -}}
{{- define "journal.files" }}{{ end -}}
{{- define "journal.egress" }}{{ end -}}
