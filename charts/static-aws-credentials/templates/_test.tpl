{{/* Names of what `helm test` makes and asks about. */}}

{{- define "static-aws-credentials.testName" -}}
{{- printf "%s-api-check" (include "static-aws-credentials.fullname" . | trunc 53 | trimSuffix "-") -}}
{{- end -}}

{{/* As `api-check` names its source, and the operator the target. */}}
{{- define "static-aws-credentials.testSource" -}}
static-aws-credentials-api-check-source
{{- end -}}

{{- define "static-aws-credentials.testTarget" -}}
static-aws-credentials-api-check-credentials
{{- end -}}

{{/* Not the operator's: its Service would send traffic to the test's pod. */}}
{{- define "static-aws-credentials.testSelectorLabels" -}}
app.kubernetes.io/name: api-check
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "static-aws-credentials.testLabels" -}}
{{- $labels := include "static-aws-credentials.labels" . | fromYaml -}}
{{- toYaml (merge (include "static-aws-credentials.testSelectorLabels" . | fromYaml) $labels) -}}
{{- end -}}

{{/* The only hooks of the chart: they run on `helm test` alone. A failed test's pod stays, for its log. */}}
{{- define "static-aws-credentials.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
