"""What MkDocs does not know of this checkout: README is the first page, and what lies beside docs/ is no page of the site.

A link out of docs/ becomes its words alone; that there is something where it leads, tests/unit/test_documents.py shows.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    files.append(File.generated(config, "README.md", content=README))
    return files


def on_page_markdown(markdown: str, page: Any, files: Any, **_: Any) -> str:
    folder = ROOT if page.file.src_uri == "README.md" else ROOT / "docs"

    def inside(link: re.Match[str]) -> str:
        words, path, anchor = link.groups(default="")
        if path == "../README.md":
            return f"[{words}](README.md{anchor})"
        leads_out = path and not files.get_file_from_path(path) and (folder / path).exists()
        return words if leads_out else link[0]

    return LINK.sub(inside, markdown)
