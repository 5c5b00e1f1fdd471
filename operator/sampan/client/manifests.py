"""YAML or JSON → ComputeJob manifests, with an answer that names the file, the document and the field. Nothing here talks to a server."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sampan.client.access.hub import GROUP, VERSION
from sampan.client.errors import RejectedError

KIND: Final = "ComputeJob"
ENDINGS: Final = (".yaml", ".yml", ".json")
MOST_VALUES: Final = 100_000
"""Of one document, with what anchors repeat: more than any server takes."""
_HOW: Final = f"give a {GROUP}/{VERSION} {KIND}"


def read_all(sources: Sequence[str]) -> list[dict[str, Any]]:
    """The ComputeJobs of files, of folders and, for `-`, of stdin, in that order. Raises `RejectedError`, and OSError of a file."""
    paths = [path for source in sources for path in files(source)]
    return [manifest for path in paths for manifest in parse(read(path), source=path)]


def files(source: str) -> list[str]:
    """The source itself or, for a folder, its manifests in the order of their names, as kubectl takes them: not of folders within."""
    if source == "-" or not Path(no_url(source)).is_dir():
        return [source]
    found = [str(path) for path in sorted(Path(source).iterdir()) if path.suffix in ENDINGS and path.is_file()]
    if not found:
        raise RejectedError(f"{source}: no file ends in {', '.join(ENDINGS)}", "name a folder with manifests")
    return found


def no_url(source: str) -> str:
    """The same, if it is no URL: those are not read, so that nothing is created that nobody looked at."""
    if source.startswith(("http://", "https://")):
        raise RejectedError(f"{source}: URLs are not read", "fetch it first, and give the file or - for stdin")
    return source


def read(source: str) -> str:
    """The text of a file, or of stdin for `-`."""
    raw = sys.stdin.buffer.read() if source == "-" else Path(no_url(source)).read_bytes()
    try:
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise RejectedError(f"{source}: not a text file in UTF-8", "give a YAML or JSON file") from error


def parse(text: str, *, source: str, pass_over: bool = False) -> list[dict[str, Any]]:
    """The ComputeJobs of a YAML stream or a List, each checked for kind and name; raises `RejectedError`.

    `pass_over`: objects of other kinds are left out where there is a ComputeJob among them.
    """
    import yaml

    from sampan.client.yaml_text import StrictLoader

    try:
        documents = [document for document in yaml.load_all(text, Loader=StrictLoader) if document is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = " ".join(str(error).split())
        raise RejectedError(f"{source}: not valid YAML: {where[:200]}", "correct the file and try again") from error
    for number, document in enumerate(documents, start=1):
        _check_plain(document, where=f"{source}, document {number}")
    found = [item for document in documents for item in _flat(document)]
    if not found:
        raise RejectedError(f"{source}: no object found", _HOW)
    numbered = list(enumerate(found, start=1))
    jobs = [each for each in numbered if not _is_other(each[1])] if pass_over else []
    for number, manifest in jobs or numbered:
        check(manifest, where=f"{source}, object {number}")
    return [manifest for _, manifest in jobs or numbered]


def _is_other(manifest: Any) -> bool:
    """Tell whether this is an object, and of another kind."""
    return isinstance(manifest, dict) and isinstance(manifest.get("kind"), str) and manifest["kind"] != KIND


def _check_plain(document: Any, *, where: str) -> None:
    """Refuse what JSON has not, which only tags make, and anchors that repeat themselves without end."""
    waiting, seen = [document], 0
    while waiting:
        value, seen = waiting.pop(), seen + 1
        if seen > MOST_VALUES:
            raise RejectedError(f"{where}: more than {MOST_VALUES} values", "give fewer jobs at a time, or repeat less")
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif not isinstance(value, str | int | float | None):
            raise RejectedError(f"{where}: a YAML tag makes a {type(value).__name__}", "write a plain value")


def _flat(document: Any) -> Iterator[Any]:
    """A List's items, or the document alone; items of a ComputeJobList, as the API serves it, are ComputeJobs."""
    kind = document.get("kind") if isinstance(document, dict) else None
    if kind not in ("List", f"{KIND}List") or not isinstance(document.get("items"), list):
        yield document
        return
    of_list = {} if kind == "List" else {"apiVersion": document.get("apiVersion"), "kind": KIND}
    for item in document["items"]:
        yield {**of_list, **item} if isinstance(item, dict) else item


def renamed(manifest: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The same manifest with this name, in place of its name or generateName."""
    metadata = manifest.get("metadata")
    kept = {key: value for key, value in metadata.items() if key != "generateName"} if isinstance(metadata, Mapping) else {}
    return {**manifest, "metadata": {**kept, "name": name}}


def check(manifest: Any, *, where: str) -> None:
    """Refuse what is no ComputeJob, or has no name."""
    if not isinstance(manifest, Mapping):
        raise RejectedError(f"{where}: not a mapping", _HOW)
    kind, version = manifest.get("kind"), manifest.get("apiVersion")
    if kind != KIND or version != f"{GROUP}/{VERSION}":
        how = "give what kubectl kustomize prints" if kind == "Kustomization" else "create other kinds with kubectl apply"
        raise RejectedError(f"{where}: {version} {kind} is not a {GROUP}/{VERSION} {KIND}", how)
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping) or not (metadata.get("name") or metadata.get("generateName")):
        raise RejectedError(f"{where}: metadata.name is missing", "name the job, or give metadata.generateName")
