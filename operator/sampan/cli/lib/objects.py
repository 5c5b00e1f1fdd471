"""Kubernetes objects from a file or stdin: Lists, several documents, YAML or JSON. Bounded, and every error names file, document, field.

What must never live here: a server, and what the objects mean.
"""

import contextlib
import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import msgspec

from sampan.cli.lib.errors import CliError
from sampan.client.manifests import no_url

REJECTED: Final = 2
MOST_BYTES: Final = 512 * 2**20
MOST_DEPTH: Final = 64
_NULLS: Final = ("null", "~")
"""A YAML scalar that is text here may have meant nothing: no field that is read can be called so."""

T = TypeVar("T")

_HOW: Final = "give what kubectl get nodes,pods,resourceslices -A -o yaml prints (nodes,pods where it knows no resourceslices)"


def read_objects(source: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (where it stands, object) for every object of a file, `-` for stdin; raises `Trouble` (exit code 2)."""
    if source == "-":
        raw = _read(sys.stdin.buffer, source)
    else:
        with Path(no_url(source)).open("rb") as file:
            raw = _read(file, source)
    with _uncollected():
        documents = _json(raw, source) if raw.lstrip()[:1] in (b"{", b"[") else list(_yaml(raw, source))
    found: list[tuple[str, dict[str, Any]]] = []
    for number, document in enumerate(documents, start=1):
        found.extend(_flat(document, where=f"{source}, document {number}"))
    if not found:
        raise CliError(f"{source}: no object found", _HOW, exit_code=REJECTED)
    return found


def typed(item: dict[str, Any], into: type[T], *, where: str) -> T:
    """Return an object as a typed value; raises `Trouble` that names the field."""
    try:
        return msgspec.convert(item, into, strict=False)
    except msgspec.ValidationError as error:
        name = item.get("metadata", {}).get("name", "") if isinstance(item.get("metadata"), dict) else ""
        told = f"{where}, {item.get('kind')} {name}: {error}"
        raise CliError(told, "correct the field, or leave the object out", exit_code=REJECTED) from error


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the cycle collector back: it would walk a growing tree without cycles again and again, for more than half of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(file: BinaryIO, source: str) -> bytes:
    raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise CliError(f"{source}: more than {MOST_BYTES // 2**20} MiB", "inspect fewer nodes at a time", exit_code=REJECTED)
    return raw


def _json(raw: bytes, source: str) -> list[Any]:
    try:
        return [_plain(msgspec.json.decode(raw), source)]
    except (msgspec.DecodeError, RecursionError):
        return list(_yaml(raw, source))  # YAML's flow style begins with a brace too


def _yaml(raw: bytes, source: str) -> Iterator[Any]:
    """Yield the documents with all scalars as text: no numbers, dates or booleans are guessed, no tag makes an object."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        for document in yaml.load_all(raw, Loader=loader):  # the base loader builds text, lists and mappings only
            if document not in (None, ""):
                yield _plain(document, source)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        where = " ".join(str(error).split())[:200]
        raise CliError(f"{source}: not valid YAML: {where}", _HOW, exit_code=REJECTED) from error


def _plain(document: Any, source: str) -> Any:
    """Return the document without nulls; refuses anchors, which could make a small file large, and endless depth."""
    seen: set[int] = set()
    waiting = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if id(value) in seen or depth > MOST_DEPTH:
            raise CliError(f"{source}: anchors or more than {MOST_DEPTH} levels", "write every object out", exit_code=REJECTED)
        seen.add(id(value))
        if isinstance(value, dict):
            for key in [key for key, held in value.items() if held is None or (isinstance(held, str) and held in _NULLS)]:
                del value[key]
        held = value.values() if isinstance(value, dict) else value
        waiting.extend((each, depth + 1) for each in held if isinstance(each, dict | list))
    return document


def _flat(document: Any, *, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a List's items, or the document alone; items of a NodeList, as the API serves it, are Nodes."""
    if isinstance(document, dict) and isinstance(document.get("items"), list):
        kind = str(document.get("kind", "")).removesuffix("List")
        for number, item in enumerate(document["items"], start=1):
            of_list = isinstance(item, dict) and bool(kind) and "kind" not in item
            yield from _flat({**item, "kind": kind} if of_list else item, where=f"{where}, item {number}")
    elif isinstance(document, dict):
        yield where, document
    else:
        raise CliError(f"{where}: not a mapping", _HOW, exit_code=REJECTED)
