{{/* Names and decisions that several templates share. What must never live here: a resource. */}}

{{- define "sampan.labels" -}}
app.kubernetes.io/name: sampan
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "sampan.selector" -}}
app.kubernetes.io/name: sampan
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{/* The operator's user name, as the API server sees it. */}}
{{- define "sampan.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:sampan-operator
{{- end }}

{{- define "sampan.image" -}}
{{- $image := .Values.operator.image -}}
{{- $repository := required "operator.image.repository: name the operator's image, or set operator.enabled=false and run the operator elsewhere" $image.repository -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $repository $image.digest }}
{{- else -}}
{{ printf "%s:%s" $repository ($image.tag | default .Chart.AppVersion) }}
{{- end -}}
{{- end }}

{{/* API version of the mutating policy, or nothing where there shall be or can be none: the operator then adds the finalizer itself. */}}
{{- define "sampan.mutatingVersion" -}}
{{- $group := "admissionregistration.k8s.io" -}}
{{- if eq .Values.policies.finalizer "Enabled" -}}
{{ $group }}/v1
{{- else if eq .Values.policies.finalizer "Auto" -}}
{{- if .Capabilities.APIVersions.Has (printf "%s/v1/MutatingAdmissionPolicy" $group) -}}
{{ $group }}/v1
{{- else if .Capabilities.APIVersions.Has (printf "%s/v1beta1/MutatingAdmissionPolicy" $group) -}}
{{ $group }}/v1beta1
{{- end -}}
{{- end -}}
{{- end }}

{{/* "true" where the uninstall guard is rendered. */}}
{{- define "sampan.uninstallGuard" -}}
{{- if or (eq .Values.hooks.uninstallGuard "Always") (and (eq .Values.hooks.uninstallGuard "Auto") .Values.operator.enabled) -}}
true
{{- end -}}
{{- end }}

{{/* CA of the front proxy in PEM, or nothing where it is not known. */}}
{{- define "sampan.frontProxyCA" -}}
{{- $told := (lookup "v1" "ConfigMap" "kube-system" "extension-apiserver-authentication").data | default dict -}}
{{ .Values.query.frontProxyCA | default (index $told "requestheader-client-ca-file") | default "" }}
{{- end }}

{{/* Common names of the front proxy's certificate, comma-separated. */}}
{{- define "sampan.frontProxyNames" -}}
{{- $told := (lookup "v1" "ConfigMap" "kube-system" "extension-apiserver-authentication").data | default dict -}}
{{- $names := .Values.query.frontProxyNames | default (index $told "requestheader-allowed-names" | default "[]" | fromJsonArray) -}}
{{ $names | default (list "front-proxy-client") | join "," }}
{{- end }}

{{/* "true" where the query API is registered. */}}
{{- define "sampan.query" -}}
{{- $reachable := or .Values.query.externalName (and .Values.operator.enabled (include "sampan.frontProxyCA" .)) -}}
{{- if and (eq .Values.query.enabled "Enabled") (not $reachable) -}}
{{ fail "query.enabled: the front proxy's CA is not known: give query.frontProxyCA, or query.externalName of an operator elsewhere" }}
{{- end -}}
{{- if and $reachable (ne .Values.query.enabled "Disabled") -}}
true
{{- end -}}
{{- end }}

{{/* The pod's and the container's security: Pod Security "restricted", and a root file system that cannot be written. */}}
{{- define "sampan.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "sampan.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
capabilities: {drop: [ALL]}
{{- end }}

{{/* What automounting would give, but with a token that lives for an hour and for this API server only. */}}
{{- define "sampan.volumes" -}}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
- name: api-token
  projected:
    defaultMode: 0440
    sources:
    - serviceAccountToken: {path: token, expirationSeconds: 3600}
    - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
    - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}

{{- define "sampan.volumeMounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: api-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}
