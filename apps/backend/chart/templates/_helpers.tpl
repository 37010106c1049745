{{- define "backend.environment" -}}
TODO_LOG_LEVEL: {{ .Values.config.logLevel | quote }}
TODO_CORS_ORIGINS: {{ join "," .Values.config.corsOrigins | quote }}
TODO_ACCESS_TOKEN_MINUTES: {{ .Values.config.accessTokenMinutes | int64 | quote }}
TODO_REQUEST_SECONDS: {{ .Values.common.requestSeconds | int64 | quote }}
TODO_DATABASE_PROBE_SECONDS: {{ .Values.config.databaseProbeSeconds | quote }}
{{- end }}

{{/* What the service and the migrations before it have in common. */}}
{{- define "backend.container" -}}
{{ include "common.container" . }}
volumeMounts:
  - name: secrets
    mountPath: /run/secrets/todochat
    readOnly: true
  - name: tmp
    mountPath: /tmp
{{- end }}
