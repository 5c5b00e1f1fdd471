"""Files that are generated and committed: write them, or say which are out of date. What is in them is their generators' business."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[4]
Changes = dict[Path, str | None]
"""Each file that would change with its new text, or None where it should not be there."""


def differing(wanted: Mapping[Path, str]) -> Changes:
    """Return the files of which the text is another, or that are missing."""
    return {path: text for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text}


def write(changes: Changes) -> None:
    """Write the files, and remove those that should not be there."""
    for path, text in changes.items():
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def run(stale: Callable[[Path], Changes], arguments: list[str] | None, *, program: str, root: Path) -> int:
    """Write or check what a generator makes, as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files that would change")
    check = parser.parse_args(arguments).check
    changed = stale(root)
    if not check:
        write(changed)
    for path in sorted(changed):
        verb = "is out of date: run `make generate`" if check else "written"
        sys.stderr.write(f"{path.relative_to(root)} {verb}\n")
    return 1 if check and changed else 0
