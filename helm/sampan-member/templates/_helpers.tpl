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

{{/* The namespaces of jobs as a JSON list of {namespace, tenant, quota}: the one of all, whose tenant is empty, then one per tenant. */}}
{{- define "member.places" -}}
{{- $base := .Values.namespace.name -}}
{{- $places := list (dict "namespace" $base "tenant" "" "quota" (.Values.quota | default dict)) -}}
{{- $names := list $base -}}
{{- $tenants := list -}}
{{- range $each := .Values.tenants | default list -}}
{{- $entry := kindIs "string" $each | ternary (dict "name" $each) $each -}}
{{- $plain := printf "%s-%s" $base $entry.name -}}
{{- $short := printf "%s-%s" (trunc 54 $plain) (sha256sum $entry.name | trunc 8) -}}
{{- $name := $entry.namespace | default (gt (len $plain) 63 | ternary $short $plain) -}}
{{- if has $entry.name $tenants -}}
{{- fail (printf "tenants: %q is there twice; leave one of the entries" $entry.name) -}}
{{- end -}}
{{- if has $name $names -}}
{{- fail (printf "tenants: the namespace %q of %q is that of another entry, or namespace.name; give it a namespace of its own" $name $entry.name) -}}
{{- end -}}
{{- if eq $name $.Release.Namespace -}}
{{- fail (printf "tenants: the namespace %q of %q is the release's own; give it another" $name $entry.name) -}}
{{- end -}}
{{- $tenants = append $tenants $entry.name -}}
{{- $names = append $names $name -}}
{{- $places = append $places (dict "namespace" $name "tenant" $entry.name "quota" ($entry.quota | default dict)) -}}
{{- end -}}
{{- toJson $places -}}
{{- end }}
