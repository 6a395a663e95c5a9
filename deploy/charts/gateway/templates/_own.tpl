{{- define "gateway.container" -}}
- name: gateway
  image: {{ include "service.image" (dict "root" . "image" "gateway") }}
  args: [-c, /etc/diary/gateway/envoy.yaml, --disable-hot-restart, --concurrency, {{ .Values.concurrency | quote }}, --log-level, warning]
  {{- include "service.containerDefaults" . | nindent 2 }}
  ports:
    - name: http
      containerPort: {{ include "service.port" . }}
    - name: portal
      containerPort: {{ get (include "service.calledPorts" . | fromYaml) "gateway" }}
    - name: metrics
      containerPort: {{ include "service.metricsPort" . }}
  startupProbe:
    httpGet:
      path: /ready
      port: metrics
    periodSeconds: 2
    failureThreshold: 30
  readinessProbe:
    httpGet:
      path: /ready
      port: metrics
    periodSeconds: 5
    failureThreshold: 2
  livenessProbe:
    httpGet:
      path: /ready
      port: metrics
    periodSeconds: 20
    timeoutSeconds: 5
    failureThreshold: 3
  volumeMounts:
    {{- include "service.tmpMount" . | nindent 4 }}
    {{- include "service.keysMount" . | nindent 4 }}
    - name: config
      mountPath: /etc/diary/gateway
      readOnly: true
{{- end -}}

{{- define "gateway.volumes" -}}
{{ include "service.tmpVolume" . }}
{{ include "service.keysVolume" (dict "root" . "files" (list "token-jwks.json")) }}
- name: config
  configMap:
    name: {{ include "service.name" . }}
{{- end -}}
