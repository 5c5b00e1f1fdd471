{{/* Names and decisions that several templates share. What must never live here: a resource. */}}

{{- define "member.labels" -}}
app.kubernetes.io/name: sampan-member
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* The hub's user name, as this cluster's API server sees it. */}}
{{- define "member.hubUser" -}}
system:serviceaccount:{{ .Values.namespace.name }}:sampan-hub
{{- end }}

{{/* "true" where the guard is rendered. */}}
{{- define "member.guard" -}}
{{- $served := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" -}}
{{- if or (eq .Values.guard.mode "Enabled") (and (eq .Values.guard.mode "Auto") $served) -}}
true
{{- end -}}
{{- end }}
