{{/* The pod of `helm test`: runs a command of the image, a list, on the service's address. Takes a dict of context and command. */}}
{{- define "common.test" -}}
{{- with .context -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "common.testSelectorLabels" . | nindent 4 }}
    {{- include "common.originLabels" . | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation
    # container-image-pull-policy: as in the Deployment.
    # pod-networkpolicy: it runs the service's own program, for two minutes at most, and nobody can connect to it: it listens on no port.
    kube-score/ignore: container-image-pull-policy,pod-networkpolicy
spec:
  {{- include "common.confinedPod" . | nindent 2 }}
  restartPolicy: Never
  activeDeadlineSeconds: 120
  containers:
    - name: acceptance
      {{- include "common.confinedContainer" . | nindent 6 }}
      command: {{ append $.command (printf "http://%s:%d" .Release.Name (int .Values.service.port)) | toJson }}
      resources:
        requests:
          cpu: 10m
          memory: 64Mi
          ephemeral-storage: 16Mi
        limits:
          cpu: 500m
          memory: 256Mi
          ephemeral-storage: 64Mi
{{- end }}
{{- end }}
