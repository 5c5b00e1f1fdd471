"""Sizes of classes and folders, as the house asks for them. Sizes of files and functions are held in `test_architecture`."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from house_lists import WIDE_VALUES
from test_architecture import MODULES, ids, parsed, shown

CLASS_LINES, CLASS_FIELDS, FOLDER_FILES = 150, 12, 15


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_classes_stay_small(path: Path) -> None:
    """A class has one trade: few lines, and few fields to keep in step."""
    for found in (node for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)):
        where = f"{shown(path)}:{found.lineno}: {found.name}"
        length, names = (found.end_lineno or found.lineno) - found.lineno + 1, fields(found)
        assert length <= CLASS_LINES, f"{where} has {length} lines, at most {CLASS_LINES}: give one of its trades a class of its own"
        assert len(names) <= CLASS_FIELDS or found.name in WIDE_VALUES, f"{where} has {len(names)} fields, at most {CLASS_FIELDS}"


def fields(found: ast.ClassDef) -> set[str]:
    """What a class declares in its body or sets on itself in `__init__`."""
    names = {node.target.id for node in found.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    for function in (node for node in found.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"):
        stored = (node for node in ast.walk(function) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
        names |= {node.attr for node in stored if isinstance(node.value, ast.Name) and node.value.id == "self"}
    return names


def test_folders_stay_small() -> None:
    """A folder is taken in at one glance."""
    sizes = Counter(shown(module.parent) for module in MODULES)
    full = {folder: count for folder, count in sizes.items() if count > FOLDER_FILES}
    assert not full, f"more than {FOLDER_FILES} files: {full}; sort them into packages"
