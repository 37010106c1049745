{{- define "common.image" -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- end }}

{{/* kube-score's findings, and why each stays as it is. */}}
{{- define "common.deploymentMetadata" -}}
{{ include "common.metadata" . }}
annotations:
  # container-image-pull-policy: a digest names one image, so there is no newer one to pull, and a pod starts without the registry.
  # deployment-has-host-podantiaffinity: the topology spread keeps the pods apart where there are several nodes.
  # pod-networkpolicy: it is there where networkPolicy.enabled is set; many a cluster's network enforces none.
  kube-score/ignore: container-image-pull-policy,deployment-has-host-podantiaffinity{{ if not .Values.networkPolicy.enabled }},pod-networkpolicy{{ end }}
{{- end }}

{{/* How many pods there are, and how new ones take the place of old ones: each is ready before an old one goes. */}}
{{- define "common.rollout" -}}
revisionHistoryLimit: 5
{{- if not .Values.autoscaling.enabled }}
replicas: {{ .Values.replicaCount | int }}
{{- end }}
strategy:
  type: RollingUpdate
  rollingUpdate:
    maxUnavailable: 0
    maxSurge: 1
selector:
  matchLabels:
    {{- include "common.selectorLabels" . | nindent 4 }}
{{- end }}

{{/* The environment and the secret are read once, at the start: new ones mean new pods. */}}
{{- define "common.podMetadata" -}}
labels:
  {{- include "common.labels" . | nindent 2 }}
annotations:
  checksum/config: {{ include (print .Chart.Name ".environment") . | sha256sum }}
  {{- with .Values.secret }}
  {{- with .checksum }}
  checksum/secret: {{ . | quote }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* preStop 5 s, draining 5 s, the last requests, which the frontend gives 6 s more than the backend has, and a margin. */}}
{{- define "common.grace" -}}
terminationGracePeriodSeconds: {{ add .Values.common.requestSeconds 20 }}
{{- end }}

{{/* What a pod may do, the one of `helm test` too. */}}
{{- define "common.confinedPod" -}}
serviceAccountName: {{ .Release.Name }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* What a container runs and may do, the one of `helm test` too. */}}
{{- define "common.confinedContainer" -}}
image: {{ include "common.image" . }}
imagePullPolicy: IfNotPresent
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
{{- end }}

{{/* A service's pod: confined, and on another node than its siblings where there is one. */}}
{{- define "common.pod" -}}
{{ include "common.confinedPod" . }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "common.selectorLabels" . | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}

{{- define "common.container" -}}
{{ include "common.confinedContainer" . }}
envFrom:
  - configMapRef:
      name: {{ .Release.Name }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end }}
