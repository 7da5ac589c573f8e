{{/* The base of all names. */}}
{{- define "static-aws-credentials.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of namespaced things of this release. A release's name may hold dots, a Service's may not. */}}
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

{{/* The name of cluster-scoped things. One install serves a cluster, so its names are fixed, and Helm
     refuses a second; installs with namespaces are told apart by namespace and release. */}}
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
