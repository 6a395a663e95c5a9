{{/* Everything of a gRPC service. Its chart defines "<name>.env" with the settings that only it has. */}}
{{- define "service.grpc" -}}
{{- $args := dict "root" . "container" (include "service.grpcContainer" .) "volumes" (include "service.grpcVolumes" .) -}}
{{ include "service.deployment" $args }}
---
{{ include "service.headlessService" . }}
---
{{ include "service.migrateJob" . }}
---
{{ include "service.disruptionBudget" . }}
---
{{ include "service.autoscaler" . }}
---
{{ include "service.networkPolicy" . }}
---
{{ include "service.serviceMonitor" . }}
{{- if and .Values.global.seedSecret (has .Chart.Name (list "access" "journal")) }}
---
{{ include "service.seedJob" . }}
{{- end }}
{{- end -}}

{{- define "service.grpcContainer" -}}
{{- $port := include "service.port" . -}}
- name: {{ .Chart.Name }}
  image: {{ include "service.image" (dict "root" . "image" .Chart.Name) }}
  args: [services.{{ .Chart.Name }}, serve]
  {{- include "service.containerDefaults" . | nindent 2 }}
  ports:
    - name: grpc
      containerPort: {{ $port }}
    - name: metrics
      containerPort: {{ include "service.metricsPort" . }}
  env:
    {{- include "service.env" . | nindent 4 }}
  # It listens once the database answers: two minutes.
  startupProbe:
    grpc:
      port: {{ $port }}
    periodSeconds: 2
    failureThreshold: 60
  readinessProbe:
    grpc:
      port: {{ $port }}
    periodSeconds: 5
    timeoutSeconds: 2
    failureThreshold: 2
  livenessProbe:
    grpc:
      port: {{ $port }}
    periodSeconds: 20
    timeoutSeconds: 5
    failureThreshold: 3
  volumeMounts:
    {{- include "service.tmpMount" . | nindent 4 }}
    {{- include "service.keysMount" . | nindent 4 }}
    - name: files
      mountPath: /etc/diary/files
      readOnly: true
{{- end -}}

{{- define "service.portalUrl" -}}
{{ required "global.portalUrl: say where families open the diary" .Values.global.portalUrl | quote }}
{{- end -}}

{{- define "service.env" -}}
{{- $name := upper .Chart.Name -}}
{{- $ports := include "service.ports" . | fromYaml -}}
- name: DIARY_LISTEN_HOST
  value: 0.0.0.0
- name: DIARY_LOG_LEVEL
  value: {{ .Values.global.logLevel }}
- name: DIARY_REFLECTION
  value: "false"
- name: DIARY_KEYS_DIR
  value: /etc/diary/keys
- name: DIARY_NATS_URL_FILE
  value: /etc/diary/files/nats-url
- name: DIARY_NATS_STREAM_COPIES
  value: {{ .Values.global.nats.streamCopies | quote }}
- name: DIARY_{{ $name }}_DATABASE_URL_FILE
  value: /etc/diary/files/database-url
- name: DIARY_{{ $name }}_POOL_SIZE
  value: {{ .Values.poolSize | quote }}
- name: DIARY_{{ $name }}_PORT
  value: {{ include "service.port" . | quote }}
- name: DIARY_{{ $name }}_METRICS_PORT
  value: {{ include "service.metricsPort" . | quote }}
{{- range get (include "service.edges" . | fromYaml) .Chart.Name }}
- name: DIARY_{{ upper . }}_ADDRESS
  # A headless Service: the client sees every pod and goes round them.
  value: dns:///diary-{{ . }}:{{ get $ports . }}
{{- end }}
{{- with include (printf "%s.env" .Chart.Name) . | trim }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "service.grpcVolumes" -}}
{{- $files := list "jwks.json" (printf "service-%s.pem" .Chart.Name) -}}
{{- if eq .Chart.Name "access" }}{{ $files = concat $files (list "token.pem" "factor-keys.json") }}{{ end -}}
{{- if eq .Chart.Name "documents" }}{{ $files = concat $files (list "seal-ca.pem" "seal-ca.crt") }}{{ end -}}
{{ include "service.tmpVolume" . }}
{{ include "service.keysVolume" (dict "root" . "files" $files) }}
- name: files
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ .Values.global.database.secret }}
          items:
            - key: {{ .Chart.Name }}-url
              path: database-url
      - secret:
          name: {{ .Values.global.nats.secret }}
          items:
            - key: {{ .Chart.Name }}-url
              path: nats-url
      {{- with include (printf "%s.files" .Chart.Name) . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
{{- end -}}

{{/* Without an address of its own: DNS gives every pod that is ready, and clients go round them. */}}
{{- define "service.headlessService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "service.name" . }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  clusterIP: None
  selector:
    {{- include "service.serverSelector" . | nindent 4 }}
  ports:
    - name: grpc
      port: {{ include "service.port" . }}
      targetPort: grpc
      appProtocol: grpc
    - name: metrics
      port: {{ include "service.metricsPort" . }}
      targetPort: metrics
{{- end -}}
