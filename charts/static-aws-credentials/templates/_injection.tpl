{{/* "true" if pods are served whose annotation asks for it. */}}
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

{{/* Pods in the served namespaces; never those that the cluster, or the operator itself, cannot do without. */}}
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

{{/* What is injected where, shared by the policy that does it and the one that looks whether it is done. */}}
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
{{- end -}}

{{/* An entry for each container of a list that is served, with what it lacks. */}}
{{- define "static-aws-credentials.injection.containers" -}}
.filter(c, !variables.narrowed || c.name in variables.names).map(c, Object.spec.{{ . }}{
  name: c.name,
  env: ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE']
    .filter(n, !has(c.env) || !c.env.exists(e, e.name == n))
    .map(n, Object.spec.{{ . }}.env{name: n, value: variables.directory + (n == 'AWS_CONFIG_FILE' ? '/config' : '/credentials')}),
  volumeMounts: [Object.spec.{{ . }}.volumeMounts{name: variables.volume, mountPath: variables.directory, readOnly: true}]
    .filter(n, !has(c.volumeMounts) || !c.volumeMounts.exists(m, m.mountPath == n.mountPath))})
{{- end -}}
