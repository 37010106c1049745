{{/* Where the service answers, and what only a person can see to. Takes a dict of context and probe, a command of the image that ends well where
     the API server's port 443 is reached, which no NetworkPolicy here allows. */}}
{{- define "common.notes" -}}
{{- $kubectl := printf "kubectl --namespace %s" .context.Release.Namespace -}}
{{- with .context -}}
{{ .Release.Name }} {{ .Chart.AppVersion }} in namespace {{ .Release.Namespace }}, image {{ include "common.image" . }}

Inside the cluster: http://{{ .Release.Name }}.{{ .Release.Namespace }}:{{ .Values.service.port }}
{{- if .Values.ingress.enabled }}
From outside:       {{ if .Values.ingress.tlsSecret }}https{{ else }}http{{ end }}://{{ .Values.ingress.host }}, where its name leads to the Ingress
{{- end }}
{{- if eq .Values.service.type "LoadBalancer" }}
From outside:       http://ADDRESS:{{ .Values.service.port }}, with the EXTERNAL-IP of
                    {{ $kubectl }} get service {{ .Release.Name }}
{{- else if and (eq .Values.service.type "NodePort") .Values.service.nodePort }}
From outside:       http://127.0.0.1:{{ .Values.service.nodePort }} where the cluster publishes the port on this machine,
                    or http://NODE:{{ .Values.service.nodePort }} with any node's address
{{- else if eq .Values.service.type "NodePort" }}
From outside:       http://NODE:PORT, with any node's address and the port of
                    {{ $kubectl }} get service {{ .Release.Name }}
{{- end }}
From here:          {{ $kubectl }} port-forward service/{{ .Release.Name }} {{ .Values.service.port }}
Whether it works:   helm --namespace {{ .Release.Namespace }} test {{ .Release.Name }} --logs
{{- end }}
{{- if .context.Values.networkPolicy.enabled }}

The NetworkPolicy counts only where the cluster's network enforces it. Where this ends well, it does not; where it does, the time is up:
{{ $kubectl }} exec deployment/{{ .context.Release.Name }} -- {{ .probe }}
{{- end }}
{{- end }}
