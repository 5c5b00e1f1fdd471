"""What nothing in the package reads: a name that only tests know keeps code alive that no user needs."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

from places import ROOT

PACKAGE = ROOT / "operator" / "sampan"
CALLED_FROM_OUTSIDE = {
    "api/status/manifest.py": {"to_manifest"},
    "store/versions/v0001_use.py": {"revision", "down_revision", "upgrade", "downgrade"},
    "store/versions/v0002_outputs.py": {"revision", "down_revision", "upgrade", "downgrade"},
    "api/crd/generate.py": {"ignore_aliases"},
    "controller/hub/kopf_thread.py": {"fetch", "purge"},
    "kube/transport/connection.py": {
        "connection_made",
        "data_received",
        "eof_received",
        "connection_lost",
        "pause_writing",
        "resume_writing",
    },
    "cli/main.py": {"list_commands", "get_command", "format_commands"},
    "client/client.py": {"from_kubeconfig", "from_environment", "from_token", "from_own_cluster", "submit_all"},
}
"""Read by what the name is written for: the other half of a translation, Alembic, PyYAML, Kopf, asyncio, click."""
BORDER = re.compile(r"validator|serializer|command|property_schema")
"""Decorators that hand a function to pydantic or click."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _loads(tree: ast.AST) -> Counter[str]:
    """Every name that is read in a tree, attributes and annotations in quotes included."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found[node.attr] += 1
        elif isinstance(node, ast.ImportFrom):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found[node.value] += 1
    return found


@cache
def trees() -> dict[Path, ast.Module]:
    """Every file of the package; read when a test asks, since every process of a run imports this file."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py")) if "__pycache__" not in path.parts}


def _defined(tree: ast.Module) -> set[str]:
    """The functions, classes, methods and constants of a module that none of their decorators hands on."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef) and not any(BORDER.search(ast.unparse(each)) for each in node.decorator_list):
            names.add(node.name)
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("__")}


def test_what_is_defined_is_read_somewhere_in_the_package() -> None:
    dead: dict[str, set[str]] = {}
    read: Counter[str] = Counter()
    for tree in trees().values():
        read.update(_loads(tree))
    for path, tree in trees().items():
        name = path.relative_to(PACKAGE).as_posix()
        unread = {each for each in _defined(tree) - CALLED_FROM_OUTSIDE.get(name, set()) if not read[each]}
        dead |= {name: unread} if unread else {}
    assert not dead, f"nothing in the package reads {dead}: delete them, or have the test that does say what it needs itself"


def test_every_exception_is_one() -> None:
    for name, exceptions in CALLED_FROM_OUTSIDE.items():
        assert exceptions <= _defined(trees()[PACKAGE / name]), f"tests/test_dead_code.py: {name} has no {exceptions} any more"
