{{/* "true" if annotated pods get their credentials. */}}
{{- define "static-aws-credentials.injection.wanted" -}}
{{- if .Values.injection.enabled -}}
{{- if not (include "static-aws-credentials.policies.served" (dict "root" . "kind" "MutatingAdmissionPolicy" "since" "1.36.0")) -}}
{{- fail "injection.enabled: is true, and this API server has no MutatingAdmissionPolicy of admissionregistration.k8s.io/v1 (Kubernetes 1.36 or newer has it); upgrade, or set injection.enabled to false and mount the target Secret in the pod itself" -}}
{{- end -}}
true
{{- end -}}
{{- end -}}

{{/* "true" if injection is part of this release. */}}
{{- define "static-aws-credentials.injection.rendered" -}}
{{- if and (include "static-aws-credentials.injection.wanted" .) .Values.policies.create }}true{{ end -}}
{{- end -}}

{{/* Pods in the served namespaces, except in those of the cluster and of the operator itself. */}}
{{- define "static-aws-credentials.injection.match" -}}
namespaceSelector:
  matchExpressions:
  {{- if .Values.scope.namespaces }}
  - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson .Values.scope.namespaces }}}
  {{- end }}
  - {key: kubernetes.io/metadata.name, operator: NotIn, values: {{ include "static-aws-credentials.policies.guardedNamespaces" . }}}
resourceRules:
- apiGroups: ['']
  apiVersions: [v1]
  operations: [CREATE]
  resources: [pods]
{{- end -}}

{{/* Variables of the policy that injects and of the policy that validates the result. */}}
{{- define "static-aws-credentials.injection.variables" -}}
- name: notes
  expression: object.metadata.annotations
- name: secret
  expression: "'awscredentials.dev/inject' in variables.notes ? variables.notes['awscredentials.dev/inject'] : ''"
- name: narrowed
  expression: "'awscredentials.dev/inject-containers' in variables.notes"
- name: names
  expression: "variables.narrowed ? variables.notes['awscredentials.dev/inject-containers'].split(',').map(s, s.trim()) : []"
- name: volume
  expression: "'awscredentials-dev'"
- name: directory
  expression: "'/var/run/secrets/awscredentials.dev'"
- name: hot
  expression: "'awscredentials.dev/rotation' in variables.notes && variables.notes['awscredentials.dev/rotation'] == 'Hot'"
- name: shellless
  expression: "variables.hot && 'awscredentials.dev/shell' in variables.notes && variables.notes['awscredentials.dev/shell'] == 'None'"
- name: helper
  expression: "'awscredentials-dev-helper'"
- name: binVolume
  expression: "'awscredentials-dev-bin'"
- name: binDirectory
  expression: "'/var/run/awscredentials.dev'"
- name: tokenDirectory
  expression: "'/var/run/secrets/kubernetes.io/serviceaccount'"
- name: files
  expression: "['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE']"
# Some SDKs use another identity while the process fails, that of the service account or of the node. Neither
# AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_WEB_IDENTITY_TOKEN_FILE is in this list, since some SDK treats an empty
# value as set; without AWS_ROLE_ARN, no SDK uses a token file.
- name: doors
  expression: >-
    variables.hot ? ['AWS_EC2_METADATA_DISABLED', 'AWS_ROLE_ARN', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'] : []
# With the process, both variables name one file: a credentials file in the image would otherwise win.
- name: values
  expression: >-
    {'AWS_SHARED_CREDENTIALS_FILE': variables.directory + (variables.hot ? '/config-process' : '/credentials'),
    'AWS_CONFIG_FILE': variables.directory + (variables.hot ? '/config-process' : '/config'),
    'AWS_EC2_METADATA_DISABLED': 'true', 'AWS_ROLE_ARN': '', 'AWS_CONTAINER_CREDENTIALS_FULL_URI': ''}
{{- end -}}

{{/* Copies the program with which SDKs read the pair again, before any SDK starts. The mount at the path of service
     account tokens keeps the API server from mounting the token of the pod there. */}}
{{- define "static-aws-credentials.injection.helper" -}}
Object.spec.initContainers{
  name: variables.helper,
  image: {{ include "static-aws-credentials.image" . | trimAll "\"" | squote }},
  imagePullPolicy: {{ squote .Values.image.pullPolicy }},
  command: ['/credential-process', 'install', variables.binDirectory],
  volumeMounts: [
    Object.spec.initContainers.volumeMounts{name: variables.binVolume, mountPath: variables.binDirectory},
    Object.spec.initContainers.volumeMounts{name: variables.binVolume, mountPath: variables.tokenDirectory, readOnly: true}],
  resources: Object.spec.initContainers.resources{
    {{- with .Values.injection.helper.resources }}
    requests: {{ include "static-aws-credentials.injection.quantities" (.requests | default dict) }},
    limits: {{ include "static-aws-credentials.injection.quantities" (.limits | default dict) }}},
    {{- end }}
  securityContext: Object.spec.initContainers.securityContext{
    allowPrivilegeEscalation: false,
    capabilities: Object.spec.initContainers.securityContext.capabilities{drop: ['ALL']},
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: 65532,
    runAsGroup: 65532,
    seccompProfile: Object.spec.initContainers.securityContext.seccompProfile{type: 'RuntimeDefault'}}}
{{- end -}}

{{/* Quantities as a map in CEL. The schema of the values allows no quotes. */}}
{{- define "static-aws-credentials.injection.quantities" -}}
{
{{- range $position, $name := keys . | sortAlpha -}}
{{- if $position }}, {{ end -}}
{{ squote $name }}: {{ get $ $name | toString | squote }}
{{- end -}}
}
{{- end -}}

{{/* Whether a container gets the credentials. */}}
{{- define "static-aws-credentials.injection.served" -}}
(!variables.narrowed || c.name in variables.names) && !(variables.hot && c.name == variables.helper)
{{- end -}}

{{/* For each such container of a list, an entry with the missing variables and mounts. */}}
{{- define "static-aws-credentials.injection.containers" -}}
.filter(c, {{ include "static-aws-credentials.injection.served" . }}).map(c, Object.spec.{{ . }}{
  name: c.name,
  env: (variables.files + variables.doors)
    .filter(n, !has(c.env) || !c.env.exists(e, e.name == n))
    .map(n, Object.spec.{{ . }}.env{name: n, value: variables.values[n]}),
  volumeMounts: ([Object.spec.{{ . }}.volumeMounts{name: variables.volume, mountPath: variables.directory, readOnly: true}]
    + (variables.hot ? [Object.spec.{{ . }}.volumeMounts{name: variables.binVolume, mountPath: variables.binDirectory, readOnly: true}] : [])
    + (variables.shellless ? [Object.spec.{{ . }}.volumeMounts{name: variables.binVolume, mountPath: '/bin/sh', subPath: 'credential-process', readOnly: true}] : []))
    .filter(n, !has(c.volumeMounts) || !c.volumeMounts.exists(m, m.mountPath == n.mountPath))})
{{- end -}}
