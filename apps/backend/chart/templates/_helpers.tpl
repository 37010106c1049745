{{/* Every resource carries the release's name: one release is one backend. */}}
{{- define "backend.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "backend.labels" -}}
{{ include "backend.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: todochat
{{- end }}

{{- define "backend.image" -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- end }}

{{/* What the service and the migrations before it have in common. */}}
{{- define "backend.container" -}}
image: {{ include "backend.image" . }}
imagePullPolicy: IfNotPresent
envFrom:
  - configMapRef:
      name: {{ .Release.Name }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: secrets
    mountPath: /run/secrets/todochat
    readOnly: true
  - name: tmp
    mountPath: /tmp
{{- end }}
