{{/* The pods that a NetworkPolicy is about. */}}
{{- define "common.policed" -}}
podSelector:
  matchLabels:
    {{- include "common.selectorLabels" . | nindent 4 }}
policyTypes: [Ingress, Egress]
{{- end }}

{{- define "common.dnsEgress" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end }}

{{/* All addresses but those that mean something else in each network: private ones, a provider's for its customers, this machine's, those of a
     link with a cloud's metadata among them, and for several at once. */}}
{{- define "common.internet" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: [0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.168.0.0/16, 224.0.0.0/3]
- ipBlock:
    cidr: "::/0"
    except: ["::1/128", "fc00::/7", "fe80::/10", "ff00::/8"]
{{- end }}
