"""Pure: the top costs of a profile that the hook wrote. `python -m bench.profile_report FILE [JOBS]`. Never here: sampling."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

Stacks = Counter[tuple[str, ...]]


def read(text: str) -> Stacks:
    """Return the seconds of each stack, thread first."""
    found: Stacks = Counter()
    for line in text.splitlines():
        seconds, _, stack = line.partition(" ")
        found[tuple(stack.split(";"))] += float(seconds)  # type: ignore[assignment]  # seconds, not counts
    return found


def read_file(file: Path) -> Stacks:
    """Return what the file has now."""
    return read(file.read_text())


def less(after: Stacks, before: Stacks) -> Stacks:
    """Return what came between two readings."""
    return after - before


def lines(stacks: Stacks, *, jobs: int, top: int = 40) -> list[str]:
    """Return the report: by thread, by package, functions with all they call, functions alone; milliseconds a job and the part of all."""
    whole = sum(stacks.values()) or 1.0
    tables: list[tuple[str, Counter[str]]] = [
        ("threads", _counted(stacks, lambda stack: {stack[0]})),
        ("packages, by the innermost frame", _counted(stacks, lambda stack: {_package(stack[-1])})),
        ("our functions with all they call", _counted(stacks, lambda stack: {frame for frame in stack[1:] if frame.startswith("sampan/")})),
        ("nearest function of ours or of Kopf's", _counted(stacks, lambda stack: {_nearest(stack)})),
        ("functions alone", _counted(stacks, lambda stack: {stack[-1]})),
    ]
    told = [f"{whole:.2f} s of processor time, {1000 * whole / jobs:.2f} ms/job"]
    for title, table in tables:
        told += ["", title]
        told += [f"  {1000 * each / jobs:7.3f} ms/job {100 * each / whole:5.1f} %  {name}" for name, each in table.most_common(top)]
    return told


def _counted(stacks: Stacks, keys: Callable[[tuple[str, ...]], Iterable[str]]) -> Counter[str]:
    table: Counter[str] = Counter()
    for stack, seconds in stacks.items():
        for key in keys(stack):
            table[key] += seconds
    return table


def _package(frame: str) -> str:
    path = frame.partition(":")[0]
    parts = path.split("/")
    return "/".join(parts[:3]) if parts[0] == "sampan" else parts[0]


def _nearest(stack: tuple[str, ...]) -> str:
    return next((frame for frame in reversed(stack[1:]) if frame.startswith(("sampan/", "kopf/"))), "neither")


def main() -> None:
    """Print the report."""
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sys.stdout.write("\n".join(lines(read_file(Path(sys.argv[1])), jobs=jobs)) + "\n")


if __name__ == "__main__":
    main()
