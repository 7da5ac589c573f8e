{{/* Parts of NetworkPolicies. A list of peers that is empty stands for anybody. */}}

{{- define "static-aws-credentials.egressToDns" -}}
# DNS, to find STS: by its Service and by its pods' own port.
- ports:
  {{- range .Values.networkPolicy.dnsPorts }}
  - {port: {{ int . }}, protocol: UDP}
  - {port: {{ int . }}, protocol: TCP}
  {{- end }}
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

{{/* That of the proxy, or else that of sts.endpoint, or else 443. A pattern is no URL to Helm. */}}
{{- define "static-aws-credentials.stsPort" -}}
{{- $url := .Values.sts.proxy.url | default .Values.sts.endpoint | trimSuffix "/" -}}
{{- regexFind ":[0-9]+$" $url | trimPrefix ":" | default "443" -}}
{{- end -}}
