{{/* "true" if the API server has a kind of admissionregistration.k8s.io/v1. Without a cluster, as with a plain
     `helm template`, Helm knows no kinds, and the version of Kubernetes decides. */}}
{{- define "static-aws-credentials.policies.served" -}}
{{- if .root.Capabilities.APIVersions.Has (printf "admissionregistration.k8s.io/v1/%s" .kind) -}}
true
{{- else if not (.root.Capabilities.APIVersions.Has "v1/Pod") -}}
{{- if semverCompare (printf ">=%s-0" .since) .root.Capabilities.KubeVersion.Version }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- define "static-aws-credentials.policies.validatingServed" -}}
{{- include "static-aws-credentials.policies.served" (dict "root" . "kind" "ValidatingAdmissionPolicy" "since" "1.30.0") -}}
{{- end -}}

{{/* "true" if this release uses admission policies, its own or those of an administrator. */}}
{{- define "static-aws-credentials.policies.wanted" -}}
{{- $enabled := toString .Values.policies.enabled -}}
{{- if not (has $enabled (list "auto" "true" "false")) -}}
{{- fail (printf "policies.enabled: must be auto, true or false, not %s" $enabled) -}}
{{- end -}}
{{- if eq $enabled "true" -}}
{{- if not (include "static-aws-credentials.policies.validatingServed" .) -}}
{{- fail "policies.enabled: is true, and this API server has no ValidatingAdmissionPolicy of admissionregistration.k8s.io/v1 (Kubernetes 1.30 or newer has it); upgrade, or set policies.enabled to auto to install without the policies" -}}
{{- end -}}
true
{{- else if eq $enabled "auto" -}}
{{- include "static-aws-credentials.policies.validatingServed" . -}}
{{- end -}}
{{- end -}}

{{/* "true" if the policies are rendered. */}}
{{- define "static-aws-credentials.policies.rendered" -}}
{{- if include "static-aws-credentials.policies.wanted" . -}}
{{- if .Values.policies.create }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/* The namespaces, as JSON, in which the operator writes no Secret for any resource: those of the system, and its own
     unless scope.namespaces lists it. */}}
{{- define "static-aws-credentials.policies.guardedNamespaces" -}}
{{- $served := .Values.scope.namespaces -}}
{{- $guarded := .Values.policies.systemNamespaces -}}
{{- range $guarded -}}
{{- if has . $served -}}
{{- fail (printf "scope.namespaces: names %s, which policies.systemNamespaces guards; remove the namespace from one of the two lists" .) -}}
{{- end -}}
{{- end -}}
{{- if not (has .Release.Namespace $served) -}}
{{- $guarded = append $guarded .Release.Namespace | uniq -}}
{{- end -}}
{{- toJson $guarded -}}
{{- end -}}

{{/* Limits a policy to the namespaces that this release serves. */}}
{{- define "static-aws-credentials.policies.servedNamespaces" -}}
{{- with .Values.scope.namespaces -}}
namespaceSelector:
  matchExpressions:
  - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }}}
{{- end -}}
{{- end -}}

{{/* Name and labels of a policy. An administrator and other releases find the policies by these labels. */}}
{{- define "static-aws-credentials.policies.metadata" -}}
name: {{ include "static-aws-credentials.clusterName" .root }}-{{ .policy }}
labels:
  {{- include "static-aws-credentials.labels" .root | nindent 2 }}
  awscredentials.dev/policy: {{ .policy }}
{{- end -}}

{{/* The names of the policies that limit the operator, for a list in YAML with quoted items, since the file of rules
     must be YAML before it is rendered. */}}
{{- define "static-aws-credentials.policies.names" -}}
{{- $names := list -}}
{{- range $policy := concat (list "requester" "status" "fence" "only") (ternary (list "restarts") list .Values.rotation.restart.enabled) -}}
{{- $names = append $names (printf "%s-%s" (include "static-aws-credentials.clusterName" $) $policy) -}}
{{- end -}}
{{- join "', '" $names -}}
{{- end -}}

{{/* The binding of a validating policy. */}}
{{- define "static-aws-credentials.policies.binding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  {{- include "static-aws-credentials.policies.metadata" . | nindent 2 }}
spec:
  policyName: {{ include "static-aws-credentials.clusterName" .root }}-{{ .policy }}
  validationActions: [Deny]
{{- end -}}

{{/* The characters 32 to 126 as a string in CEL. */}}
{{- define "static-aws-credentials.policies.printable" -}}
' !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'
{{- end -}}

{{/* Decodes base64 in CEL, which has no decoder in the API server. A byte above 127 becomes `?`, a control character a
     tab. A value that is longer than `longest` in base64 becomes the empty text, so no request can use up the time of
     the API server. */}}
{{- define "static-aws-credentials.policies.decoded" -}}
(size({{ .value }}) > {{ .longest }} ? '' : {{ .value }}.replace('=', '').findAll('.{1,4}').map(quad,
[quad.split('').map(c, variables.alphabet.indexOf(c))].map(six,
[0, 1, 2].filter(i, i + 1 < size(six)).map(i, (six[i] * 64 + six[i + 1]) / [16, 4, 1][i] % 256)
.map(b, b == 10 ? '\n' : b < 32 || b == 127 ? '\t' : b > 127 ? '?' : variables.printable.charAt(b - 32))
.join('')).join('')).join(''))
{{- end -}}

{{/* Patterns for the 2 files that the operator writes under any key: one pair, and a region. */}}
{{- define "static-aws-credentials.policies.credentialsForm" -}}
\[default\]\naws_access_key_id = [A-Za-z0-9._-]{3,128}\naws_secret_access_key = [^\t\n]+\n
{{- end -}}
{{- define "static-aws-credentials.policies.configForm" -}}
\[default\]\nregion = [a-z0-9-]{1,32}\n
{{- end -}}

{{/* A list in CEL: `credential_process` in base64 for each alignment, without the characters that also encode bits of
     neighbouring bytes. */}}
{{- define "static-aws-credentials.policies.credentialProcess" -}}
['Y3JlZGVudGlhbF9wcm9jZXNz', 'NyZWRlbnRpYWxfcHJvY2Vzc', 'jcmVkZW50aWFsX3Byb2Nlc3']
{{- end -}}

{{/* A pattern for variables with which loaders, shells, runtimes and SDKs find a program, options, or a file that
     names a program. */}}
{{- define "static-aws-credentials.policies.loaderVariables" -}}
^(?:{{ list
  "LD_.*" "DYLD_.*" "GCONV_PATH" "OPENSSL_(?:CONF|ENGINES|MODULES)"
  "BASH_ENV" "ENV" "HOME" "IFS" "PATH" "PROMPT_COMMAND" "PS4" "SHELL" "XDG_CONFIG_.*"
  "BROWSER" "EDITOR" "PAGER" "VISUAL" "(?:SSH|SUDO)_ASKPASS"
  "PERL.*" "PHP.*" "PYTHON.*" "RUBY.*" "BUNDLE_.*" "GEM_(?:HOME|PATH)" "LUA_.*"
  "NODE_(?:OPTIONS|PATH)" "(?i:npm_config_.*)"
  "CLASSPATH" "JAVA_(?:HOME|OPTIONS|OPTS|TOOL_OPTIONS)" "_JAVA_.*" "JDK_.*" "(?:GRADLE|MAVEN)_OPTS"
  "COMPlus_.*" "CORECLR_.*" "DOTNET_.*"
  "GIT_(?:ASKPASS|CONFIG.*|EDITOR|EXEC_PATH|EXTERNAL_DIFF|PAGER|PROXY_COMMAND|SSH.*|TEMPLATE_DIR)"
  "AWS_(?:CONFIG|SHARED_CREDENTIALS)_FILE" "KUBECONFIG"
  | join "|" }})$
{{- end -}}

{{/* Refuses a release that would serve a namespace of another release: each would overwrite the targets of the other,
     and neither could write a status. */}}
{{- define "static-aws-credentials.policies.refuseOverlap" -}}
{{- $root := . -}}
{{- $served := .Values.scope.namespaces -}}
{{- range (lookup "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicy" "" "").items -}}
{{- $labels := .metadata.labels | default dict -}}
{{- $notes := .metadata.annotations | default dict -}}
{{- $name := index $notes "meta.helm.sh/release-name" | default "" -}}
{{- $namespace := index $notes "meta.helm.sh/release-namespace" | default "" -}}
{{- $own := and (eq $name $root.Release.Name) (eq $namespace $root.Release.Namespace) -}}
{{- if and (eq (index $labels "awscredentials.dev/policy" | default "") "status") (not $own) (ne .metadata.name (printf "%s-status" (include "static-aws-credentials.clusterName" $root))) -}}
{{- $theirs := list -}}
{{- range ((.spec.matchConstraints.namespaceSelector | default dict).matchExpressions | default list) -}}
{{- $theirs = concat $theirs (.values | default list) -}}
{{- end -}}
{{- $who := printf "release %s in namespace %s (ValidatingAdmissionPolicy %s)" $name $namespace .metadata.name -}}
{{- if not $served -}}
{{- fail (printf "scope.namespaces: is empty, which serves the whole cluster, and %s already serves some namespaces; uninstall that release, or list here the namespaces that it does not serve" $who) -}}
{{- else if not $theirs -}}
{{- fail (printf "scope.namespaces: %s serves the whole cluster already; uninstall that release, or first limit it to a list of namespaces" $who) -}}
{{- end -}}
{{- range $served -}}
{{- if has . $theirs -}}
{{- fail (printf "scope.namespaces: %s is served by %s already; remove the namespace from one of the two releases" . $who) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The part of NOTES about the policies. */}}
{{- define "static-aws-credentials.policies.notes" -}}
{{- $wanted := include "static-aws-credentials.policies.wanted" . -}}
{{- if and $wanted .Values.policies.create -}}
Admission policies limit who may have a pair copied, and what the operator may write:
  kubectl get validatingadmissionpolicies -l app.kubernetes.io/instance={{ .Release.Name }}
{{- else if $wanted -}}
WARNING: the admission policies are NOT part of this release (policies.create is false). Until an
administrator has applied them, every user who may write a StaticAwsCredentials gets the pair of any Secret in
its namespace, and has Secrets written there. The administrator renders them with the values of this release:
  helm get values {{ .Release.Name }} --namespace {{ .Release.Namespace }} --output yaml > values.yaml
  helm template {{ .Release.Name }} CHART --namespace {{ .Release.Namespace }} --values values.yaml \
    --set policies.create=true --set policies.enabled=true \
    --show-only 'templates/policies/*.yaml'{{ if .Values.injection.enabled }} --show-only 'templates/injection/*.yaml'{{ end }} > policies.yaml
  kubectl apply --server-side --filename policies.yaml
and deletes them after an uninstall:
  kubectl delete --filename policies.yaml
{{- else -}}
WARNING: there are no admission policies ({{ if eq (toString .Values.policies.enabled) "auto" }}this API server has no ValidatingAdmissionPolicy; Kubernetes 1.30 or newer has it{{ else }}policies.enabled is false{{ end }}).
Every user who may write a StaticAwsCredentials gets the pair of ANY Secret in its namespace, and has Secrets
written there without the right to write them. Give rights on the kind only to users who may read and write
every Secret of the namespace.
{{- end -}}
{{- end -}}
