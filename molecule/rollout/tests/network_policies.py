"""What NetworkPolicies allow, and the flows that a node has seen, which the network of this cluster lets through all the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Flow:
    """A connection, or a question without one: who began it, and who answered, at which port."""

    protocol: str
    source: str
    target: str
    port: int


def flows(listed: str) -> set[Flow]:
    """Those in the output of `conntrack -L`, where the second source is who answers, also for a Service's address."""
    found = set()
    for line in listed.splitlines():
        ends = re.findall(r"\b(?:src|sport)=(\S+)", line)
        if len(ends) == 4:
            found.add(Flow(line.split()[0].upper(), ends[0], ends[2], int(ends[3])))
    return found


class Network:
    """The pods of a cluster, its nodes' addresses, and policies."""

    def __init__(self, pods: list[Object], namespaces: list[Object], nodes: set[str], policies: list[Object]) -> None:
        # a pod of the node's network has the node's address
        self.pods = {pod["status"]["podIP"]: pod["metadata"] for pod in pods if "podIP" in pod["status"] and not pod["spec"].get("hostNetwork")}
        self.namespaces = {namespace["metadata"]["name"]: namespace["metadata"]["labels"] for namespace in namespaces}
        self.nodes = nodes
        self.policies = policies

    def refused(self, seen: Iterable[Flow]) -> list[str]:
        """The flows that the policies do not allow. What a node sends to its pods they always do."""
        found = []
        for flow in seen:
            out = self._allowing(flow, "Egress") if flow.source in self.pods else None
            into = self._allowing(flow, "Ingress") if flow.target in self.pods and flow.source not in self.nodes else None
            found += [f"{self._name(flow.source)} -> {self._name(flow.target)}:{flow.port}/{flow.protocol}"] if [] in (out, into) else []
        return sorted(found)

    def unused(self, seen: Iterable[Flow]) -> set[str]:
        """The rules about what may be sent that no flow needed."""
        used = {rule for flow in seen if flow.source in self.pods for rule in self._allowing(flow, "Egress") or []}
        return {name for policy in self.policies for name, _ in named_rules(policy, "Egress")} - used

    def _allowing(self, flow: Flow, direction: str) -> list[str] | None:
        """The rules that allow a flow out of its source, or into its target; None where no policy is about that pod."""
        inner, outer = (flow.source, flow.target) if direction == "Egress" else (flow.target, flow.source)
        about = [policy for policy in self.policies if direction in policy["spec"]["policyTypes"] and self._is_about(policy, inner)]
        if not about:
            return None
        return [
            name
            for policy in about
            for name, rule in named_rules(policy, direction)
            if self._has_peer(rule.get("to" if direction == "Egress" else "from"), policy, outer) and has_port(rule.get("ports"), flow)
        ]

    def _is_about(self, policy: Object, address: str) -> bool:
        pod, metadata = self.pods[address], policy["metadata"]
        return bool(pod["namespace"] == metadata["namespace"]) and selects(policy["spec"]["podSelector"], pod.get("labels", {}))

    def _has_peer(self, peers: list[Object] | None, policy: Object, address: str) -> bool:
        return not peers or any(self._is_peer(peer, policy["metadata"]["namespace"], address) for peer in peers)

    def _is_peer(self, peer: Object, own: str, address: str) -> bool:
        if block := peer.get("ipBlock"):
            return ip_address(address) in ip_network(block["cidr"]) and not any(ip_address(address) in ip_network(one) for one in block.get("except", []))
        pod = self.pods.get(address)
        if pod is None:
            return False
        namespace = selects(peer["namespaceSelector"], self.namespaces[pod["namespace"]]) if "namespaceSelector" in peer else pod["namespace"] == own
        return namespace and selects(peer.get("podSelector", {}), pod.get("labels", {}))

    def _name(self, address: str) -> str:
        return self.pods[address]["name"] if address in self.pods else address


def named_rules(policy: Object, direction: str) -> Iterator[tuple[str, Object]]:
    """The rules of a policy with a name for each, of the labels or addresses of those that it allows."""
    for rule in policy["spec"].get(direction.lower(), []):
        peers = rule.get("to" if direction == "Egress" else "from", [])
        who = [peer["ipBlock"]["cidr"] if "ipBlock" in peer else ",".join(peer.get("podSelector", {}).get("matchLabels", {}).values()) for peer in peers]
        yield f"{policy['metadata']['name']}: {'to' if direction == 'Egress' else 'from'} {' or '.join(who) or 'everybody'}", rule


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a selector of labels takes these; the charts use no other kind."""
    assert selector.keys() <= {"matchLabels"}, selector
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def has_port(ports: list[Object] | None, flow: Flow) -> bool:
    """Whether a rule's ports have that of a flow; the charts give numbers."""
    return not ports or any((port.get("protocol", "TCP"), port["port"]) == (flow.protocol, flow.port) for port in ports)
