{{- define "frontend.environment" -}}
BACKEND_URL: {{ .Values.config.BACKEND_URL | quote }}
{{- with .Values.config.PUBLIC_URL }}
PUBLIC_URL: {{ . | quote }}
{{- end }}
PEERS: {{ printf "http://%s-pods:3000" .Release.Name | quote }}
REQUEST_SECONDS: {{ .Values.common.requestSeconds | int64 | quote }}
{{- end }}
