"""docs/reference.md and docs/openapi.json say what the code says."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import references

ROOT = Path(__file__).resolve().parents[2]
TURN = '''
def _output(ok):
    named = {"toolCallId": 1}
    if ok:
        return {"type": "done", **named, "output": 2}
    return [{"type": "text", "id": 1}, {"type": "text", "id": 1, "delta": ""}, {"type": "function", "function": {}}, {"role": "user"}]
'''
VALUES = """# What runs.
# Both are required.
image:
  digest: ""
service:
  port: 1
  # Without it the cluster picks one.
  # nodePort: 30001

# How many.
count: 2
"""


def test_each_status_of_the_backends_programs_is_told() -> None:
    """Each number that a function of theirs returns is one, but for 0."""
    told = re.findall(r"^\| `(todo_backend[\w.]*)` \| (\d) \|", references.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    found = set()
    for file in (ROOT / "apps/backend/src/todo_backend").glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if any(isinstance(one, ast.If) and "__main__" in ast.unparse(one.test) for one in tree.body):
            returned = [one.value for one in ast.walk(tree) if isinstance(one, ast.Return)]
            either = [part for one in returned for part in ([one.body, one.orelse] if isinstance(one, ast.IfExp) else [one])]
            numbers = {one.value for one in either if isinstance(one, ast.Constant) and type(one.value) is int and one.value}
            found |= {(f"todo_backend.{file.stem}".removesuffix(".__main__"), str(number)) for number in numbers}
    assert set(told) == found


@pytest.mark.skipif(not references.PYTHON.exists(), reason="`make check` installs what the backend needs before it runs this")
def test_the_page_and_the_document_of_the_api_say_what_the_code_says() -> None:
    done = subprocess.run([sys.executable, "tests/references.py", "--check"], cwd=ROOT, env=with_collections(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def with_collections() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / ".ansible/collections")}


def test_the_parts_of_a_stream_are_found_with_all_that_they_may_have() -> None:
    assert references.events(TURN) == [("done", ["toolCallId", "output"]), ("text", ["id", "delta"])]


def test_a_value_has_the_comment_above_it_also_where_it_is_one_itself() -> None:
    assert dict(references.comments(VALUES)) == {
        "image": "What runs. Both are required.",
        "service.nodePort": "Without it the cluster picks one.",
        "count": "How many.",
    }


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 600}, "integer, from 1 to 600"),
        ({"type": ["integer", "null"]}, "integer or nothing"),
        ({"type": "number", "exclusiveMinimum": 0}, "number, above 0"),
        ({"enum": ["a", "b"]}, "`a`, `b`"),
        ({"type": "boolean"}, "true or false"),
    ],
)
def test_what_a_value_has_to_be_is_told(schema: dict[str, object], said: str) -> None:
    assert references.kind(schema) == said


def test_each_value_that_a_schema_lets_in_has_a_row() -> None:
    rows = {row[0]: row for row in references.of_charts()}
    assert rows["`autoscaling.maxReplicas`"][1:4] == ("integer, from 1", "`3`", "`3`")
    assert rows["`model.url`"][3] == ""
    assert len(rows) > 40


def test_what_stands_around_a_generated_part_stays() -> None:
    page = "# Head\n\n<!-- generated: vault -->\n\nold\n<!-- end -->\n\nTail\n"
    assert references.written(page, {"vault": "| new |\n"}) == "# Head\n\n<!-- generated: vault -->\n\n| new |\n\n<!-- end -->\n\nTail\n"


def test_a_cell_does_not_end_its_row() -> None:
    assert references.table("a", "b", rows=iter([("x|y", json.dumps(1))])) == "| a | b |\n|---|---|\n| x\\|y | 1 |\n"
