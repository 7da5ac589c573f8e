{{/* Parts of NetworkPolicies. A list of peers that is empty stands for anybody. */}}

{{- define "static-aws-credentials.egressToDns" -}}
# DNS, to find STS.
- ports:
  - {port: 53, protocol: UDP}
  - {port: 53, protocol: TCP}
  {{- with .Values.networkPolicy.dns }}
  to:
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Most network plugins judge a packet after its Service was resolved, so that the port is that of
     the API server itself, and not 443. */}}
{{- define "static-aws-credentials.egressToApiServer" -}}
# The API server, by its Service and by its own port.
- ports:
  {{- range .Values.networkPolicy.apiServerPorts }}
  - {port: {{ int . }}, protocol: TCP}
  {{- end }}
  {{- with .Values.networkPolicy.apiServer }}
  to:
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* 443, unless sts.endpoint names another. */}}
{{- define "static-aws-credentials.stsPort" -}}
{{- $port := "443" -}}
{{- with .Values.sts.endpoint -}}
{{- $port = regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" | default "443" -}}
{{- end -}}
{{- $port -}}
{{- end -}}
