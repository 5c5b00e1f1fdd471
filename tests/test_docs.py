"""The docs as tests: every page is found, what is generated is up to date, and the map and the glossary name what there is."""

import ast
import re
from pathlib import Path

from places import ROOT
from sampan.controller.reconcile.lifecycle import page as lifecycle_page
from sampan.controller.runtime import metrics_page

PACKAGE = ROOT / "operator" / "sampan"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def test_every_page_of_the_docs_is_listed() -> None:
    listed = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert [name for name in sorted(pages) if f"]({name})" not in listed] == []


def test_the_page_of_metrics_is_up_to_date() -> None:
    assert metrics_page.stale(ROOT) == {}, "docs/metrics.md is out of date: run `make generate`"


def test_the_page_of_a_jobs_life_is_up_to_date() -> None:
    assert lifecycle_page.stale(ROOT) == {}, "docs/lifecycle.md is out of date: run `make generate`"


def test_the_map_shows_the_packages() -> None:
    """The map in CONTRIBUTING.md names every package, and none that was renamed away."""
    shown_there = re.findall(r"^\| `([a-z_/]+)` \|", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    gone = [name for name in shown_there if not (PACKAGE / name).is_dir() and not (PACKAGE / f"{name}.py").is_file()]
    assert not gone, f"CONTRIBUTING.md: the map names {gone}, which are not in operator/sampan: take them out or rename them"
    packages = {module.parent.relative_to(PACKAGE).as_posix() for module in MODULES} - {"."}
    alone = {module.stem for module in MODULES if module.parent == PACKAGE and not module.stem.startswith("__")}
    lacking = sorted((packages | alone) - set(shown_there))
    assert not lacking, f"CONTRIBUTING.md: the map lacks {lacking}: say in a row what lives there"


def test_the_glossary_names_what_there_is() -> None:
    """A word whose class was renamed or moved away is found: the glossary follows the code."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    found = re.findall(r"`(\w+)` in `([a-z_/]+)`", text)
    assert found
    gone = [f"{name} in {package}" for name, package in found if not _is_defined(name, PACKAGE / package)]
    assert not gone, f"docs/glossary.md: {gone} are not there: name what is, and where"


def test_the_glossary_defines_no_word_that_the_code_does_without() -> None:
    """A word that was renamed away in the code goes from the glossary too."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z][a-z ,-]+?) \|", text, re.MULTILINE)
    words = {word for row in rows if row != "word" for word in row.split(", ")}
    assert len(words) > 40
    code = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
    spelled = {word: re.compile(rf"(?<![a-z]){re.sub('[ -]', '[ _-]?', word)}", re.IGNORECASE) for word in words}
    unused = sorted(word for word, pattern in spelled.items() if not pattern.search(code))
    assert not unused, f"docs/glossary.md: the code says {unused} nowhere: take them out, or name what it says instead"


def test_the_way_of_a_job_names_what_there_is() -> None:
    """A function of docs/architecture.md that was renamed or moved away is found."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| `([\w.]+)` \| `([\w/]+)` \|", text)
    picture = re.findall(r"^[ │├└─]*([\w.]+) +([a-z]+/[a-z_/]+)$", text, re.MULTILINE)
    assert len(rows) > 10
    assert len(picture) > 10
    rows += picture
    gone = [f"{name} in {module}" for name, module in rows if name not in _definitions(PACKAGE / f"{module}.py")]
    assert not gone, f"docs/architecture.md: {gone} are not there: name what is, and where"


def test_the_lines_of_the_picture_meet() -> None:
    """An arrow that enters nothing, or enters the wrong part, misleads who trusts the picture."""
    picture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1].splitlines()
    cells = {(row, column): char for row, line in enumerate(picture) for column, char in enumerate(line) if char != " "}
    ends = {"│": (-1, 1), "┤": (-1, 1), "▲": (-1, 1), "▼": (-1, 1), "┘": (-1,), "└": (-1,), "┐": (1,), "┌": (1,)}
    lines = [(row, column) for (row, column), char in cells.items() if char in ends]
    assert len(lines) > 20
    loose = [
        f"line {row + 1}, column {column + 1}: {cells[row, column]}"
        for row, column in lines
        for step in ends[cells[row, column]]
        if (row + step, column) not in cells and row + step >= 0
    ]
    assert not loose, f"docs/architecture.md: the picture's lines end in nothing: {loose}"


def _definitions(module: Path) -> set[str]:
    """Return the functions and classes of a module, and the methods as `Class.method`; none where there is no such module."""
    tree = ast.parse(module.read_text(encoding="utf-8")) if module.is_file() else ast.Module([], [])
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = {node.name for node in tree.body if isinstance(node, kinds)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return found | {f"{each.name}.{method.name}" for each in classes for method in each.body if isinstance(method, kinds)}


def _is_defined(name: str, folder: Path) -> bool:
    """Tell whether a class, function or constant of this name is defined at the top of a module below a folder."""
    pattern = re.compile(rf"^(?:(?:async )?def |class )?{name}\b[(:\[ =]", re.MULTILINE)
    return any(pattern.search(path.read_text(encoding="utf-8")) for path in MODULES if folder in path.parents)
