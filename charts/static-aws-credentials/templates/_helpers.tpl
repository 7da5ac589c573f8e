{{/* The base of all names. */}}
{{- define "static-aws-credentials.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of namespaced objects of this release. A release may have dots in its name, a Service may not. */}}
{{- define "static-aws-credentials.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "static-aws-credentials.name" .) .Release.Name -}}
{{- .Release.Name | replace "." "-" | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | replace "." "-") (include "static-aws-credentials.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* "true" if the operator serves the whole cluster. */}}
{{- define "static-aws-credentials.clusterScoped" -}}
{{- if not .Values.scope.namespaces }}true{{ end -}}
{{- end -}}

{{/* The name of cluster-scoped objects. A cluster has at most 1 install that serves all namespaces, so its names are
     fixed and Helm refuses a second install; installs with a list of namespaces differ by namespace and release. */}}
{{- define "static-aws-credentials.clusterName" -}}
{{- if include "static-aws-credentials.clusterScoped" . -}}
static-aws-credentials
{{- else -}}
{{- printf "static-aws-credentials-%s-%s" .Release.Namespace .Release.Name -}}
{{- end -}}
{{- end -}}

{{- define "static-aws-credentials.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "static-aws-credentials.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: must name an existing service account when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The user name that the API server sees. */}}
{{- define "static-aws-credentials.username" -}}
{{- printf "system:serviceaccount:%s:%s" .Release.Namespace (include "static-aws-credentials.serviceAccountName" .) -}}
{{- end -}}

{{/* The name of the lease, in the release's namespace. */}}
{{- define "static-aws-credentials.leaseName" -}}
{{- include "static-aws-credentials.fullname" . -}}
{{- end -}}

{{- define "static-aws-credentials.leaseRoleName" -}}
{{- printf "%s-leader-election" (include "static-aws-credentials.fullname" .) -}}
{{- end -}}

{{- define "static-aws-credentials.selectorLabels" -}}
app.kubernetes.io/name: {{ include "static-aws-credentials.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "static-aws-credentials.labels" -}}
{{ include "static-aws-credentials.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}
