{{/* What every pod has: Pod Security "restricted" in full, and no token of the cluster. */}}
{{- define "service.podDefaults" -}}
automountServiceAccountToken: false
# Kubernetes would set DIARY_GATEWAY_PORT=tcp://… for the Service of that name.
enableServiceLinks: false
{{- with .Values.global.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "service.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "service.tmpVolume" -}}
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- end -}}

{{- define "service.tmpMount" -}}
- name: tmp
  mountPath: /tmp
{{- end -}}

{{/* Takes a dict of root and files: names in the Secret of keys. Each pod gets those it may read and no others. */}}
{{- define "service.keysVolume" -}}
- name: keys
  secret:
    secretName: {{ .root.Values.global.keysSecret }}
    defaultMode: 0440
    items:
      {{- range .files }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- end -}}

{{- define "service.keysMount" -}}
- name: keys
  mountPath: /etc/diary/keys
  readOnly: true
{{- end -}}
