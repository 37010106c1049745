{{- define "backend.environment" -}}
TODO_LOG_LEVEL: {{ .Values.config.logLevel | quote }}
TODO_CORS_ORIGINS: {{ join "," .Values.config.corsOrigins | quote }}
TODO_ACCESS_TOKEN_MINUTES: {{ .Values.config.accessTokenMinutes | int64 | quote }}
TODO_REQUEST_SECONDS: {{ .Values.common.requestSeconds | int64 | quote }}
TODO_DATABASE_PROBE_SECONDS: {{ .Values.config.databaseProbeSeconds | quote }}
TODO_MODEL_URL: {{ .Values.model.url | quote }}
TODO_MODEL: {{ .Values.model.name | quote }}
TODO_MODEL_FALLBACK: {{ .Values.model.fallback | quote }}
TODO_MODEL_TOKENS_PER_USER: {{ .Values.model.tokensPerUser | int64 | quote }}
TODO_MODEL_TOKENS: {{ .Values.model.tokens | int64 | quote }}
{{- end }}

{{/* The port of the model's address. */}}
{{- define "backend.modelPort" -}}
{{- $url := urlParse .Values.model.url -}}
{{ regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) }}
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
