{{/* "true" if the release has a monitor. Arguments: the context, the key under metrics, the kind. */}}
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

{{/* Arguments: the context, and labels of the values, which win, since Prometheus may select by any label. */}}
{{- define "static-aws-credentials.monitorLabels" -}}
{{- $own := include "static-aws-credentials.labels" (index . 0) | fromYaml -}}
{{- toYaml (merge (dict) (index . 1) $own) -}}
{{- end -}}

{{/* Arguments: the context, and the values of a monitor. Without honorLabels, Prometheus renames the label namespace of
     a resource to exported_namespace. A Prometheus with overrideHonorLabels does so all the same, and the relabeling
     restores the label. With enforcedNamespaceLabel as well, only exported_namespace keeps the value, so that is not
     dropped. */}}
{{- define "static-aws-credentials.endpoint" -}}
{{- $context := index . 0 -}}
{{- $values := index . 1 -}}
{{- $endpoint := $values.endpoint | default (dict) -}}
{{- $own := dict "port" "http" "path" "/metrics" "honorLabels" true "interval" $values.interval -}}
{{- if $context.Values.metrics.tls.secretName -}}
{{- $_ := set $own "scheme" "https" -}}
{{- end -}}
{{- $namespace := dict "sourceLabels" (list "exported_namespace") "regex" "(.+)" "targetLabel" "namespace" -}}
{{- $relabelings := concat (list $namespace) ($endpoint.metricRelabelings | default (list)) -}}
{{- toYaml (mergeOverwrite $own $endpoint (dict "metricRelabelings" $relabelings)) -}}
{{- end -}}
