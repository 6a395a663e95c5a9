{{/* Roles, schema, grants and tables, before the new pods: the command waits for its lock, and repeats do no harm. */}}
{{- define "service.migrateJob" -}}
{{- $name := upper .Chart.Name -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "service.name" . }}-migrate
  labels:
    {{- include "service.labels" . | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 5
  activeDeadlineSeconds: 900
  template:
    metadata:
      labels:
        # The same NetworkPolicy as the service's, but not its Service.
        {{- include "service.labels" . | nindent 8 }}
        app.kubernetes.io/component: migrate
    spec:
      {{- include "service.podDefaults" . | nindent 6 }}
      restartPolicy: OnFailure
      containers:
        - name: migrate
          image: {{ include "service.image" (dict "root" . "image" .Chart.Name) }}
          imagePullPolicy: IfNotPresent
          args: [services.{{ .Chart.Name }}, migrate]
          securityContext:
            {{- include "service.containerSecurity" . | nindent 12 }}
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 256Mi
          env:
            - name: DIARY_LOG_LEVEL
              value: {{ .Values.global.logLevel }}
            - name: DIARY_DATABASE_URL_FILE
              value: /etc/diary/files/admin-url
            - name: DIARY_{{ $name }}_DATABASE_URL_FILE
              value: /etc/diary/files/database-url
          volumeMounts:
            {{- include "service.tmpMount" . | nindent 12 }}
            - name: files
              mountPath: /etc/diary/files
              readOnly: true
      volumes:
        {{- include "service.tmpVolume" . | nindent 8 }}
        - name: files
          secret:
            secretName: {{ .Values.global.database.secret }}
            defaultMode: 0440
            items:
              - key: admin-url
                path: admin-url
              - key: {{ .Chart.Name }}-url
                path: database-url
{{- end -}}
