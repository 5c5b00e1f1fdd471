"""Sizes of classes and folders, as the house asks for them. Sizes of files and functions are held in `test_architecture`."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from house_lists import UNSORTED_FOLDERS, WIDE_VALUES
from test_architecture import MODULES, TEST_FILES, ids, parsed, shown

CLASS_LINES, CLASS_FIELDS, FOLDER_FILES = 150, 12, 15


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_classes_stay_small(path: Path) -> None:
    """A class has one trade: few lines, and few fields to keep in step."""
    for found in (node for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)):
        where = f"{shown(path)}:{found.lineno}: {found.name}"
        length, names = (found.end_lineno or found.lineno) - found.lineno + 1, all_fields(found)
        assert length <= CLASS_LINES, f"{where} has {length} lines, at most {CLASS_LINES}: give one of its trades a class of its own"
        assert len(names) <= CLASS_FIELDS or found.name in WIDE_VALUES, f"{where} has {len(names)} fields, at most {CLASS_FIELDS}"


CLASSES: dict[str, list[ast.ClassDef]] = {}
for _module in MODULES:
    for _node in ast.walk(parsed(_module)):
        if isinstance(_node, ast.ClassDef):
            CLASSES.setdefault(_node.name, []).append(_node)


def all_fields(found: ast.ClassDef) -> set[str]:
    """Return its own fields and those of the classes of ours that it extends; of two with one name, the one with more."""
    names = fields(found)
    for base in found.bases:
        ours = CLASSES.get(base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else "", [])
        names |= max((all_fields(one) for one in ours if one is not found), key=len, default=set())
    return names


def fields(found: ast.ClassDef) -> set[str]:
    """What a class declares in its body or sets on itself in any of its methods."""
    names = {
        node.target.id
        for node in found.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and "ClassVar" not in ast.unparse(node.annotation)
    }
    for function in (node for node in found.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        stored = (node for node in ast.walk(function) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
        names |= {node.attr for node in stored if isinstance(node.value, ast.Name) and node.value.id == "self"}
    return names


def test_wide_classes_are_values() -> None:
    """What may have more fields is a frozen record, or a kind as its users write it: never something that changes."""
    for name in WIDE_VALUES:
        assert CLASSES.get(name), f"{name}: no such class any more, take it off the list"
        for found in CLASSES[name]:
            assert len(all_fields(found)) > CLASS_FIELDS or len(CLASSES[name]) > 1, f"{name} is not wide any more, take it off the list"
            assert is_value(found), f"{name} changes: a class on the list is frozen"


def is_value(found: ast.ClassDef) -> bool:
    """Tell whether the class, or one that it extends, is frozen or one of the API's models."""
    said = [ast.unparse(node) for node in [*found.decorator_list, *found.keywords, *found.bases]]
    said += [ast.unparse(node) for node in found.body if isinstance(node, ast.Assign)]
    if any("frozen=True" in text or text in ("BaseModel", "NamedTuple", "Protocol") for text in said):
        return True
    return any(is_value(base) for text in said for base in CLASSES.get(text, []) if base is not found)


def test_folders_stay_small() -> None:
    """A folder is taken in at one glance, of tests too."""
    sizes = Counter(shown(path.parent) for path in (*MODULES, *TEST_FILES))
    full = {folder: count for folder, count in sizes.items() if count > FOLDER_FILES and folder not in UNSORTED_FOLDERS}
    assert not full, f"more than {FOLDER_FILES} files: {full}; sort them into packages, tests by subject"
    sorted_now = sorted(folder for folder in UNSORTED_FOLDERS if sizes[folder] <= FOLDER_FILES)
    assert not sorted_now, f"{sorted_now} are sorted: take them off UNSORTED_FOLDERS, so that they stay so"
