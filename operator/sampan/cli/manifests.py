"""YAML files → ComputeJob manifests, with an answer that names the file, the document and the field. Nothing here talks to a server."""

import sys
from pathlib import Path
from typing import Any

from sampan.cli.hub import GROUP, VERSION
from sampan.cli.trouble import Trouble

KIND = "ComputeJob"
REJECTED = 2
"""Exit code for input that no server would take."""


ENDINGS = (".yaml", ".yml", ".json")


def files(source: str) -> list[str]:
    """The source itself or, for a folder, its manifests in the order of their names, as kubectl takes them: not of folders within."""
    folder = Path(source)
    if source == "-" or not folder.is_dir():
        return [source]
    found = [str(path) for path in sorted(folder.iterdir()) if path.suffix in ENDINGS and path.is_file()]
    if not found:
        raise Trouble(f"{source}: no file ends in {', '.join(ENDINGS)}", "name a folder with manifests", exit_code=REJECTED)
    return found


def read(source: str) -> str:
    """The text of a file, or of stdin for `-`."""
    return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")


def parse(text: str, *, source: str) -> list[dict[str, Any]]:
    """The ComputeJobs of a YAML stream or a List, each checked for kind and name; raises `Trouble` (exit code 2)."""
    import yaml

    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        raise Trouble(f"{source}: not valid YAML: {where[:200]}", "correct the file and try again", exit_code=REJECTED) from error
    found = [item for document in documents for item in _flat(document)]
    if not found:
        raise Trouble(f"{source}: no object found", f"give a {GROUP}/{VERSION} {KIND}", exit_code=REJECTED)
    for number, manifest in enumerate(found, start=1):
        _check(manifest, where=f"{source}, object {number}")
    return found


def _flat(document: Any) -> list[Any]:
    """A List's items, or the document alone."""
    if isinstance(document, dict) and document.get("kind") == "List" and isinstance(document.get("items"), list):
        return list(document["items"])
    return [document]


def _check(manifest: Any, *, where: str) -> None:
    """Refuse what is no ComputeJob, or has no name."""
    if not isinstance(manifest, dict):
        raise Trouble(f"{where}: not a mapping", f"give a {GROUP}/{VERSION} {KIND}", exit_code=REJECTED)
    kind, version = manifest.get("kind"), manifest.get("apiVersion")
    if kind != KIND or version != f"{GROUP}/{VERSION}":
        raise Trouble(
            f"{where}: {version} {kind} is not a {GROUP}/{VERSION} {KIND}", "create other kinds with kubectl apply", exit_code=REJECTED
        )
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        raise Trouble(f"{where}: metadata.name is missing", "name the job, or give metadata.generateName", exit_code=REJECTED)
