{{- define "notify.env" }}
- name: DIARY_NOTIFY_PORTAL_URL
  value: {{ include "service.portalUrl" . }}
- name: DIARY_NOTIFY_MAIL_FROM
  value: {{ .Values.mail.from | quote }}
- name: DIARY_NOTIFY_SMTP_HOST
  value: {{ .Values.mail.host | quote }}
- name: DIARY_NOTIFY_SMTP_PORT
  value: {{ .Values.mail.port | quote }}
- name: DIARY_NOTIFY_SMTP_TLS
  value: {{ .Values.mail.tls | quote }}
- name: DIARY_NOTIFY_SMTP_USER
  value: {{ .Values.mail.user | quote }}
{{- if .Values.mail.passwordSecret }}
- name: DIARY_NOTIFY_SMTP_PASSWORD_FILE
  value: /etc/diary/files/smtp-password
{{- end }}
{{- end -}}

{{- define "notify.files" }}
{{- with .Values.mail.passwordSecret }}
- secret:
    name: {{ . }}
    items:
      - key: password
        path: smtp-password
{{- end }}
{{- end -}}

{{- define "notify.egress" }}
- to:
    {{- toYaml .Values.mail.peers | nindent 4 }}
  ports:
    - port: {{ .Values.mail.port }}
{{- end -}}
