{{/* Parts of the pods of the operator and of `helm test`. */}}

{{/* The chart of a release names the published image in an annotation. A changed registry, repository, tag or digest
     replaces the whole reference, since a mirror may lack the index with the published digest. The repository is compared
     with its default in values.yaml. */}}
{{- define "static-aws-credentials.image" -}}
{{- $image := .Values.image -}}
{{- $published := index .Chart.Annotations "awscredentials.dev/image" -}}
{{- $isSet := or $image.registry (ne $image.repository "static-aws-credentials") $image.tag $image.digest -}}
{{- $name := $image.repository -}}
{{- with $image.registry }}{{ $name = printf "%s/%s" . $name }}{{ end -}}
{{- if and $published (not $isSet) -}}
{{- quote $published -}}
{{- else if $image.digest -}}
{{- printf "%s@%s" $name $image.digest | quote -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) | quote -}}
{{- end -}}
{{- end -}}

{{/* The labels of the selector win: without them, the API server rejects the Deployment. No label has a version, so a
     new chart with the same image restarts no pod. */}}
{{- define "static-aws-credentials.podLabels" -}}
{{- $own := include "static-aws-credentials.selectorLabels" . | fromYaml -}}
{{- toYaml (merge $own .Values.podLabels) -}}
{{- end -}}

{{/* The common part of both pods. */}}
{{- define "static-aws-credentials.podSpec" -}}
# The token is projected only into the container that needs it.
automountServiceAccountToken: false
# Variables of Services may begin with the prefix of the operator's own variables.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- toYaml . | nindent 0 }}
{{- end }}
{{- if eq (toString .Values.hostUsers) "false" }}
{{- /* An older API server drops the field without an error. */}}
{{- if not (semverCompare ">=1.33.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail "hostUsers: is false, and this API server gives pods no user namespace of their own (Kubernetes 1.33 or newer does); upgrade, or set hostUsers to true" }}
{{- end }}
hostUsers: false
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{- define "static-aws-credentials.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "static-aws-credentials.tokenMount" -}}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end -}}

{{/* The 3 files that a client in a cluster reads. */}}
{{- define "static-aws-credentials.tokenVolume" -}}
- name: token
  projected:
    # 0440, which YAML 1.2 would read as 440.
    defaultMode: 288
    sources:
    # The minimum of the API server; the kubelet renews the token in time.
    - serviceAccountToken: {path: token, expirationSeconds: 600}
    - configMap:
        name: kube-root-ca.crt
        items: [{key: ca.crt, path: ca.crt}]
    - downwardAPI:
        items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]
{{- end -}}

{{/* The environment variables of the flags. */}}
{{- define "static-aws-credentials.env" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}
# The default, but fixed: glibc then does not raise it, and returns the memory of large events of a watch.
- {name: GLIBC_TUNABLES, value: glibc.malloc.mmap_threshold=131072}
{{- with .Values.scope.namespaces }}
- {name: AWSCREDS_NAMESPACE, value: {{ join "," . | quote }}}
{{- end }}
{{- if .Values.leaderElection.enabled }}
- {name: AWSCREDS_LEADER_ELECTION, value: "true"}
- {name: AWSCREDS_LEASE_NAME, value: {{ include "static-aws-credentials.leaseName" . | quote }}}
{{- end }}
{{- with .Values.targets.copyLabels }}
- {name: AWSCREDS_COPY_LABEL, value: {{ join "," . | quote }}}
{{- end }}
{{- if include "static-aws-credentials.policies.wanted" . }}
- {name: AWSCREDS_POLICIES, value: {{ include "static-aws-credentials.clusterName" . | quote }}}
{{- if .Values.policies.require }}
- {name: AWSCREDS_REQUIRE_POLICIES, value: "true"}
{{- end }}
{{- else if .Values.policies.require }}
{{- fail "policies.require: is true, and there are no policies; set policies.enabled to true on an API server that has ValidatingAdmissionPolicy, or policies.require to false" }}
{{- else }}
- {name: AWSCREDS_UNGUARDED, value: "true"}
{{- end }}
{{- with .Values.sts.endpoint }}
- {name: AWSCREDS_STS_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- with .Values.sts.variant }}
- {name: AWSCREDS_STS_VARIANT, value: {{ . | quote }}}
{{- end }}
{{- with .Values.sts.proxy.url }}
- {name: AWSCREDS_STS_PROXY, value: {{ . | quote }}}
{{- end }}
{{- if .Values.sts.proxy.credentialsSecretName }}
- {name: AWSCREDS_STS_PROXY_USERNAME_FILE, value: /etc/static-aws-credentials/proxy/username}
- {name: AWSCREDS_STS_PROXY_PASSWORD_FILE, value: /etc/static-aws-credentials/proxy/password}
{{- end }}
{{- if .Values.sts.ca.configMapName }}
- {name: AWSCREDS_STS_CA_FILE, value: /etc/static-aws-credentials/sts/ca.crt}
{{- end }}
{{- if .Values.metrics.tls.secretName }}
- {name: AWSCREDS_METRICS_TLS_CERT_FILE, value: /etc/static-aws-credentials/metrics/tls.crt}
- {name: AWSCREDS_METRICS_TLS_KEY_FILE, value: /etc/static-aws-credentials/metrics/tls.key}
{{- end }}
{{- if .Values.metrics.authentication }}
{{- if not .Values.metrics.tls.secretName }}
{{- fail "metrics.authentication: requires metrics.tls.secretName, since tokens must not be sent in plain text" }}
{{- end }}
- {name: AWSCREDS_METRICS_AUTHENTICATION, value: "true"}
{{- end }}
- {name: AWSCREDS_STS_RATE, value: {{ .Values.sts.ratePerSecond | int | quote }}}
- {name: AWSCREDS_CONCURRENCY, value: {{ .Values.concurrency | int | quote }}}
- {name: AWSCREDS_CREDENTIAL_PROCESS_TTL, value: {{ .Values.rotation.credentialProcessTTLSeconds | int | quote }}}
- {name: AWSCREDS_KUBELET_SYNC_PERIOD, value: {{ .Values.rotation.kubeletSyncPeriod | quote }}}
- {name: AWSCREDS_LOG_FORMAT, value: {{ .Values.log.format | quote }}}
- {name: AWSCREDS_LOG, value: {{ .Values.log.filter | quote }}}
{{- if .Values.rotation.consumers.enabled }}
- {name: AWSCREDS_LIST_CONSUMERS, value: "true"}
{{- end }}
{{- if .Values.rotation.restart.enabled }}
- {name: AWSCREDS_RESTART_CONSUMERS, value: "true"}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
