"""The Kubernetes cluster: its minikube profile, its nodes and own pods, and how it is asked."""
