{{/* Who calls whom: both ends of every NetworkPolicy and the addresses in the environment come from this table. */}}
{{- define "service.edges" -}}
gateway: [access, journal, notify, documents, portal]
portal: [gateway]
access: [journal, notify, documents]
journal: [access]
notify: [access, journal, documents]
documents: [access, journal]
{{- end -}}

{{/* The port that each is called at. */}}
{{- define "service.ports" -}}
access: 50051
journal: 50052
notify: 50053
documents: 50054
gateway: 8080
portal: 8081
{{- end -}}

{{/* The port at which those of the table call: the gateway has a door for the portal alone, whose word for its client it takes. */}}
{{- define "service.calledPorts" -}}
{{- $ports := include "service.ports" . | fromYaml -}}
{{- merge (dict "gateway" 8082) $ports | toYaml -}}
{{- end -}}

{{/* The port of metrics; the portal has none. */}}
{{- define "service.metricsPorts" -}}
access: 9101
journal: 9102
notify: 9103
documents: 9104
gateway: 9901
{{- end -}}

{{- define "service.port" -}}
{{- get (include "service.ports" . | fromYaml) .Chart.Name -}}
{{- end -}}

{{- define "service.metricsPort" -}}
{{- get (include "service.metricsPorts" . | fromYaml) .Chart.Name -}}
{{- end -}}
