{{/* Each edge by name, from the table of edges; what is not named is denied. */}}
{{- define "service.networkPolicy" -}}
{{- $name := .Chart.Name -}}
{{- $edges := include "service.edges" . | fromYaml -}}
{{- $ports := include "service.calledPorts" . | fromYaml -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "service.name" . }}
  labels:
    {{- include "service.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "service.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- range $caller, $called := $edges }}
    {{- if has $name $called }}
    {{- include "service.peerRule" (dict "direction" "from" "name" $caller "port" (get $ports $name)) | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with include "service.metricsPort" . }}
    - from:
        {{- toYaml $.Values.global.monitoring.peers | nindent 8 }}
      ports:
        - port: {{ . }}
    {{- end }}
    {{- if eq $name "gateway" }}
    {{- include "service.doorRules" . | nindent 4 }}
    {{- end }}
  egress:
    - to:
        {{- toYaml .Values.global.dns.peers | nindent 8 }}
      ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
    {{- range get $edges $name }}
    {{- include "service.peerRule" (dict "direction" "to" "name" . "port" (get $ports .)) | nindent 4 }}
    {{- end }}
    {{- if not (has $name (list "gateway" "portal")) }}
    {{- include "service.backendRules" . | trim | nindent 4 }}
    {{- with include (printf "%s.egress" $name) . | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- end }}
{{- end -}}

{{- define "service.peerRule" -}}
- {{ .direction }}:
    - podSelector:
        matchLabels:
          app.kubernetes.io/name: {{ .name }}
          app.kubernetes.io/part-of: diary
  ports:
    - port: {{ .port }}
{{- end -}}

{{- define "service.backendRules" -}}
{{- range list .Values.global.database .Values.global.nats }}
- to:
    {{- toYaml .peers | nindent 4 }}
  ports:
    - port: {{ .port }}
{{- end }}
{{- end -}}

{{/* The public door: clients, and the pod of `helm test`. */}}
{{- define "service.doorRules" -}}
- from:
    {{- toYaml .Values.clients | nindent 4 }}
  ports:
    - port: {{ include "service.port" . }}
{{ include "service.peerRule" (dict "direction" "from" "name" "test" "port" (include "service.port" .)) }}
{{- end -}}
