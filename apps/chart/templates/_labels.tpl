{{/* Every object carries the release's name: one release is one service. */}}
{{- define "common.metadata" -}}
name: {{ .Release.Name }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "common.labels" . | nindent 2 }}
{{- end }}

{{- define "common.labels" -}}
{{ include "common.selectorLabels" . }}
{{ include "common.originLabels" . }}
{{- end }}

{{/* They never change: a Deployment's selector cannot. */}}
{{- define "common.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Of the pod of `helm test`, which nobody may take for one of the service. */}}
{{- define "common.testSelectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-test
app.kubernetes.io/instance: {{ .Release.Name }}-test
{{- end }}

{{- define "common.originLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: todochat
{{- end }}
