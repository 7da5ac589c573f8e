{{/* Names of the objects that `helm test` creates or tests. */}}

{{- define "static-aws-credentials.testName" -}}
{{- printf "%s-api-check" (include "static-aws-credentials.fullname" . | trunc 53 | trimSuffix "-") -}}
{{- end -}}

{{/* The names that `api-check` gives its source and its target. */}}
{{- define "static-aws-credentials.testSource" -}}
static-aws-credentials-api-check-source
{{- end -}}

{{- define "static-aws-credentials.testTarget" -}}
static-aws-credentials-api-check-credentials
{{- end -}}

{{/* Other labels than those of the operator, whose Service would otherwise send traffic to the pod of the test. */}}
{{- define "static-aws-credentials.testSelectorLabels" -}}
app.kubernetes.io/name: api-check
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "static-aws-credentials.testLabels" -}}
{{- $labels := include "static-aws-credentials.labels" . | fromYaml -}}
{{- toYaml (merge (include "static-aws-credentials.testSelectorLabels" . | fromYaml) $labels) -}}
{{- end -}}

{{/* The only hooks of the chart, which run only with `helm test`. The pod of a failed test stays, for its log. */}}
{{- define "static-aws-credentials.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
