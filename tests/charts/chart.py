"""The charts, rendered."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
NAMESPACE = "somewhere"
Values = Mapping[str, Any]
Object = dict[str, Any]


def merged(below: Values, above: Values) -> Values:
    """Both, as Helm lays values over others."""
    both = {name: merged(below[name], value) if isinstance(value, dict) and isinstance(below.get(name), dict) else value for name, value in above.items()}
    return {**below, **both}


def part(item: Object) -> str:
    """What an object is in its release."""
    if "helm.sh/hook" in item["metadata"].get("annotations", {}):
        return "Test"
    return "Pods" if item["kind"] == "Service" and item["spec"].get("clusterIP") == "None" else str(item["kind"])


class Chart:
    """A service's chart, rendered as a release of the same name."""

    def __init__(self, name: str, executable: Path, folder: Path | None = None) -> None:
        self.name = name
        self.executable = executable
        self.folder = folder or ROOT / f"apps/{name}/chart"

    @property
    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "values.schema.json").read_text(encoding="utf-8"))
        return found

    @property
    def defaults(self) -> dict[str, Any]:
        """The chart's own values."""
        found: dict[str, Any] = yaml.safe_load((self.folder / "values.yaml").read_text(encoding="utf-8"))
        return found

    def helm(self, *command: str, values: Values) -> subprocess.CompletedProcess[str]:
        """Runs Helm with values over those that are required."""
        image = {"repository": f"registry.example/{self.name}", "digest": DIGEST}
        arguments = [str(self.executable), *command, f"--namespace={NAMESPACE}", "--values=-"]
        return subprocess.run(arguments, input=json.dumps(merged({"image": image}, values)), capture_output=True, text=True, check=False)

    def template(self, values: Values, *options: str) -> subprocess.CompletedProcess[str]:
        return self.helm("template", self.name, str(self.folder), *options, values=values)

    def objects(self, values: Values | None = None) -> dict[str, Object]:
        """The objects by kind, that of `helm test` as Test, and the Service that has the pods' own addresses as Pods."""
        done = self.template(values or {})
        assert done.returncode == 0, done.stderr
        found = [document for document in yaml.safe_load_all(done.stdout) if document]
        by_kind = {part(item): item for item in found}
        assert len(by_kind) == len(found)
        return by_kind

    def refusal(self, values: Values) -> str:
        """What Helm says where it refuses the values; empty where it takes them."""
        done = self.template(values)
        return done.stderr if done.returncode else ""
