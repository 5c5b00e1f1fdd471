"""What the import contracts cannot see in the files that they call pure: a clock, chance or a file reached without an import of its own."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from test_architecture import PACKAGE, ROOT, ids, parsed, python_files, shown

CLOCKS = {"now", "utcnow", "today", "monotonic", "perf_counter"}
LOADERS = {"__import__", "open", "exec", "eval", "input"}


def pure_files() -> list[Path]:
    """Every file that a contract against reaching the world names."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    names = [name for contract in contracts if "asyncio" in contract.get("forbidden_modules", ()) for name in contract["source_modules"]]
    paths = [PACKAGE.parent / name.replace(".", "/") for name in names]
    return sorted({file for path in paths for file in (python_files(path) if path.is_dir() else [path.with_suffix(".py")])})


def reached(tree: ast.AST) -> Iterator[str]:
    """Each way to the world in a file, as "line: name"."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if name in CLOCKS and owner in ("datetime", "date"):
                yield f"{node.lineno}: {owner}.{name}"
            case ast.Call(func=ast.Name(id=name)) if name in LOADERS:
                yield f"{node.lineno}: {name}"
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="random" | "memmap" | "load" | "save"):
                yield f"{node.lineno}: numpy.{node.attr}"
            case ast.ImportFrom(module="importlib") | ast.ImportFrom(module="numpy.random"):
                yield f"{node.lineno}: {node.module}"
            case ast.Import(names=names) if any(name.name in ("importlib", "numpy.random") for name in names):
                yield f"{node.lineno}: {names[0].name}"


@pytest.mark.parametrize("path", pure_files(), ids=ids)
def test_what_is_called_pure_has_no_way_to_the_world(path: Path) -> None:
    """The time, and whatever else comes from without, is handed in."""
    found = [way for way in reached(parsed(path)) if not way.endswith(": importlib") or path.name != "catalog.py"]
    assert not found, f"{shown(path)} reaches the world at line {'; '.join(found)}: have it handed in"


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime, UTC\nNOW = datetime.now(UTC)",
        "from datetime import date\nDAY = date.today()",
        "import numpy as np\nDRAW = np.random.default_rng().random()",
        "from importlib import import_module\nimport_module('time')",
        "T = __import__('time').time()",
        "BODY = open('/etc/hostname').read()",
    ],
)
def test_each_way_is_found(code: str) -> None:
    assert list(reached(ast.parse(code)))
