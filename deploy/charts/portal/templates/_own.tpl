{{- define "portal.container" -}}
{{- $gateway := get (include "service.calledPorts" . | fromYaml) "gateway" -}}
- name: portal
  image: {{ include "service.image" (dict "root" . "image" "portal") }}
  args: [apps.portal]
  {{- include "service.containerDefaults" . | nindent 2 }}
  ports:
    - name: http
      containerPort: {{ include "service.port" . }}
  env:
    - name: DIARY_LISTEN_HOST
      value: 0.0.0.0
    - name: DIARY_LOG_LEVEL
      value: {{ .Values.global.logLevel }}
    - name: DIARY_PORTAL_PORT
      value: {{ include "service.port" . | quote }}
    - name: DIARY_PORTAL_URL
      value: {{ include "service.portalUrl" . }}
    - name: DIARY_GATEWAY_ADDRESS
      value: dns:///diary-gateway-portal:{{ $gateway }}
  startupProbe:
    httpGet:
      path: /healthz
      port: http
    periodSeconds: 2
    failureThreshold: 30
  readinessProbe:
    httpGet:
      path: /healthz
      port: http
    periodSeconds: 5
    failureThreshold: 2
  livenessProbe:
    httpGet:
      path: /healthz
      port: http
    periodSeconds: 20
    timeoutSeconds: 5
    failureThreshold: 3
  volumeMounts:
    {{- include "service.tmpMount" . | nindent 4 }}
{{- end -}}
