"""A script of the checkout, which has no ending of Python's, as a module; and a package for one to install."""

from __future__ import annotations

import zipfile
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def loaded(path: str) -> ModuleType:
    """A new module of it each time."""
    loader = SourceFileLoader(Path(path).name, str(ROOT / path))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def wheel(folder: Path) -> Path:
    """A package for pip, which is a file `here.py` of version 1."""
    path = folder / "here-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("here.py", "")
        file.writestr("here-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: here\nVersion: 1\n")
        file.writestr("here-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("here-1.dist-info/RECORD", "")
    return path
