{{- define "frontend.environment" -}}
BACKEND_URL: {{ .Values.config.BACKEND_URL | quote }}
{{- end }}
