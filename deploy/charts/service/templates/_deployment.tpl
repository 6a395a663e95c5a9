{{/* Takes a dict of root, container and volumes (both rendered), and annotations of the pod. */}}
{{- define "service.deployment" -}}
{{- $root := .root -}}
{{- $replicas := $root.Values.replicas -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "service.name" $root }}
  labels:
    {{- include "service.labels" $root | nindent 4 }}
spec:
  {{- if eq (int $replicas.min) (int $replicas.max) }}
  replicas: {{ $replicas.min }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "service.serverSelector" $root | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "service.labels" $root | nindent 8 }}
        app.kubernetes.io/component: server
      {{- with .annotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "service.podDefaults" $root | nindent 6 }}
      # Five seconds until the endpoints are forgotten (preStop), then the process drains.
      terminationGracePeriodSeconds: 40
      topologySpreadConstraints:
        {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          matchLabelKeys: [pod-template-hash]
          labelSelector:
            matchLabels:
              {{- include "service.serverSelector" $root | nindent 14 }}
        {{- end }}
      containers:
        {{- .container | nindent 8 }}
      volumes:
        {{- .volumes | nindent 8 }}
{{- end -}}

{{/* What every container of a Deployment has beside its command, environment, probes and mounts. Takes the root. */}}
{{- define "service.containerDefaults" -}}
imagePullPolicy: IfNotPresent
securityContext:
  {{- include "service.containerSecurity" . | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
lifecycle:
  preStop:
    sleep:
      seconds: 5
{{- end -}}
