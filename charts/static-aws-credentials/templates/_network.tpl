{{/* Parts of NetworkPolicies. An empty list of peers allows any peer. */}}

{{- define "static-aws-credentials.egressToDns" -}}
# DNS, to resolve STS: on the port of its Service and on the port of its pods.
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

{{/* Most network plugins compare the port after the address of the Service was translated: the port is then that of
     the API server itself, not 443. */}}
{{- define "static-aws-credentials.egressToApiServer" -}}
# The API server, on the port of its Service and on its own port.
- ports:
  {{- range .Values.networkPolicy.apiServerPorts }}
  - {port: {{ int . }}, protocol: TCP}
  {{- end }}
  {{- with .Values.networkPolicy.apiServer }}
  to:
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The port of the proxy, otherwise of sts.endpoint, otherwise 443. Helm cannot parse an endpoint with {region}. */}}
{{- define "static-aws-credentials.stsPort" -}}
{{- $url := .Values.sts.proxy.url | default .Values.sts.endpoint | trimSuffix "/" -}}
{{- regexFind ":[0-9]+$" $url | trimPrefix ":" | default "443" -}}
{{- end -}}
