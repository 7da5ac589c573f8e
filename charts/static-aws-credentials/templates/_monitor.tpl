{{/* "true" if a monitor is to be made: the context, its key under metrics, its kind. */}}
{{- define "static-aws-credentials.monitored" -}}
{{- $context := index . 0 -}}
{{- $key := index . 1 -}}
{{- $api := printf "monitoring.coreos.com/v1/%s" (index . 2) -}}
{{- $enabled := (index $context.Values.metrics $key).enabled | toString -}}
{{- $known := $context.Capabilities.APIVersions.Has $api -}}
{{- if and (eq $enabled "true") (not $known) -}}
{{- fail (printf "metrics.%s.enabled: must be auto or false, since this cluster does not have %s; without a cluster, pass --api-versions %s" $key $api $api) -}}
{{- end -}}
{{- if and $known (ne $enabled "false") -}}
{{- if not (and (eq $enabled "auto") (eq $key "serviceMonitor") (not $context.Values.metrics.service.enabled)) -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The context, and labels of the values, which win: Prometheus may choose by any label. */}}
{{- define "static-aws-credentials.monitorLabels" -}}
{{- $own := include "static-aws-credentials.labels" (index . 0) | fromYaml -}}
{{- toYaml (merge (dict) (index . 1) $own) -}}
{{- end -}}
