"""Kubernetes' OpenAPI file, and kinds that others define, as the JSON schemas that kubeconform reads: a file for each kind, complete in itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
REFERENCE = re.compile(r'"#/definitions/([^"]+)"')
# What the API server reads although its OpenAPI file says that it is a string.
ALSO_NUMBERS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
}


def write_schemas(openapi: Path, folder: Path) -> None:
    """Write a schema for each kind of an api/openapi-spec/swagger.json, named as kubeconform looks for it: <kind>-<group>-<version>.json."""
    document = json.loads(openapi.read_text(encoding="utf-8"), object_hook=without_description)
    definitions: dict[str, Schema] = {name: closed(schema) for name, schema in document["definitions"].items()} | ALSO_NUMBERS
    uses = {name: set(REFERENCE.findall(json.dumps(schema))) for name, schema in definitions.items()}
    folder.mkdir(parents=True)
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", []):
            parts = [kind["kind"], kind["group"].split(".")[0], kind["version"]]
            used = {other: definitions[other] for other in reached(name, uses)}
            file = folder / ("-".join(filter(None, parts)).lower() + ".json")
            file.write_text(json.dumps({**schema, "definitions": used}), encoding="utf-8")


def write_custom_schemas(definitions: Path, folder: Path) -> None:
    """Write a schema for each version of each CustomResourceDefinition in a folder, likewise."""
    folder.mkdir(parents=True)
    for file in sorted(definitions.glob("*.yaml")):
        for definition in filter(None, yaml.safe_load_all(file.read_text(encoding="utf-8"))):
            kind, group = definition["spec"]["names"]["kind"], definition["spec"]["group"].split(".")[0]
            for version in definition["spec"]["versions"]:
                schema = json.loads(json.dumps(version["schema"]["openAPIV3Schema"]), object_hook=lambda one: closed(without_description(one)))
                name = f"{kind}-{group}-{version['name']}.json".lower()
                (folder / name).write_text(json.dumps(schema), encoding="utf-8")


def without_description(value: Schema) -> Schema:
    """The value without its text; a field of that name is not one."""
    return {key: part for key, part in value.items() if key != "description" or isinstance(part, dict)}


def closed(schema: Schema) -> Schema:
    """The schema, which takes the fields that it names and no other: the API server would drop or refuse those."""
    return {"additionalProperties": False, **schema} if "properties" in schema else schema


def reached(name: str, uses: dict[str, set[str]]) -> set[str]:
    """The definitions that one refers to, and those that these refer to in turn."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = uses[waiting.pop()] - found
        found |= new
        waiting += new
    return found
