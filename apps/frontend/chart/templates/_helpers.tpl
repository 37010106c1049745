{{- define "frontend.environment" -}}
BACKEND_URL: {{ .Values.config.BACKEND_URL | quote }}
REQUEST_SECONDS: {{ .Values.common.requestSeconds | int64 | quote }}
{{- end }}
