{{- define "access.env" }}
- name: DIARY_ACCESS_PORTAL_URL
  value: {{ include "service.portalUrl" . }}
{{- if .Values.calendarConfigMap }}
- name: DIARY_ACCESS_REGION_CALENDAR
  value: /etc/diary/files/calendar.csv
{{- end }}
{{- end -}}

{{- define "access.files" }}
{{- with .Values.calendarConfigMap }}
- configMap:
    name: {{ . }}
    items:
      - key: calendar.csv
        path: calendar.csv
{{- end }}
{{- end -}}

{{- define "access.egress" }}{{ end -}}
