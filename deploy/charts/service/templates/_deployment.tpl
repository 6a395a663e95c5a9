{{/* Takes a dict of root, container and volumes (both rendered), and annotations of the pod. */}}
{{- define "service.deployment" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "service.name" $root }}
  labels:
    {{- include "service.labels" $root | nindent 4 }}
spec:
  # No `replicas`: the autoscaler and `kubectl scale` own it, and what Helm had written it would not let them change.
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
      # It serves on until its address is forgotten (preStop), then the process drains.
      terminationGracePeriodSeconds: {{ add $root.Values.global.drainSeconds 35 }}
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
      seconds: {{ .Values.global.drainSeconds }}
{{- end -}}
