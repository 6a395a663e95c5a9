{{/* For a trial: a generated region, made once the pods are Ready. access knows the schools first, journal asks it for them. */}}
{{- define "service.seedJob" -}}
{{- $isAccess := eq .Chart.Name "access" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "service.name" . }}-seed
  labels:
    {{- include "service.labels" . | nindent 4 }}
  annotations:
    helm.sh/hook: post-install,post-upgrade
    helm.sh/hook-weight: {{ ternary "1" "2" $isAccess | quote }}
    # It stays: its log names the logins.
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  backoffLimit: 5
  activeDeadlineSeconds: 900
  template:
    metadata:
      labels:
        {{- include "service.labels" . | nindent 8 }}
        app.kubernetes.io/component: seed
    spec:
      {{- include "service.podDefaults" . | nindent 6 }}
      restartPolicy: OnFailure
      containers:
        - name: seed
          image: {{ include "service.image" (dict "root" . "image" .Chart.Name) }}
          imagePullPolicy: IfNotPresent
          args: [services.{{ .Chart.Name }}, seed{{ if $isAccess }}, --password-file, /etc/diary/seed/password, --logins, "-"{{ end }}]
          securityContext:
            {{- include "service.containerSecurity" . | nindent 12 }}
          resources:
            requests:
              cpu: 100m
              memory: 256Mi
            limits:
              memory: 768Mi
          env:
            {{- include "service.env" . | nindent 12 }}
            - name: DIARY_DATABASE_URL_FILE
              value: /etc/diary/admin/admin-url
          volumeMounts:
            {{- include "service.tmpMount" . | nindent 12 }}
            {{- include "service.keysMount" . | nindent 12 }}
            - name: files
              mountPath: /etc/diary/files
              readOnly: true
            - name: admin
              mountPath: /etc/diary/admin
              readOnly: true
            {{- if $isAccess }}
            - name: seed
              mountPath: /etc/diary/seed
              readOnly: true
            {{- end }}
      volumes:
        {{- include "service.grpcVolumes" . | nindent 8 }}
        - name: admin
          secret:
            secretName: {{ .Values.global.database.secret }}
            defaultMode: 0440
            items:
              - key: admin-url
                path: admin-url
        {{- if $isAccess }}
        - name: seed
          secret:
            secretName: {{ .Values.global.seedSecret }}
            defaultMode: 0440
            items:
              - key: password
                path: password
        {{- end }}
{{- end -}}
