"""`python -m sampan.api.crd.generate [--check]`: writes the CRDs of all kinds to crds/ and, the same bytes, to the hub chart.

What a kind is stands in `kinds`, how a schema is rewritten in `structural`. With `--check` nothing is written: the exit code
is 1 if a file would change, and the file is named.
"""

from pathlib import Path
from typing import Any, Final

import yaml

from sampan.api.crd.generated import ROOT, Changes, differing, run
from sampan.api.crd.structural import structural_schema
from sampan.api.fields.common import validations
from sampan.api.kinds.table import KINDS, Kind
from sampan.model.values.names import GROUP, VERSION

Json = dict[str, Any]
HEADER: Final = "# GENERATED from operator/sampan/api by `make generate`: do not edit.\n"
FOLDERS: Final = ("crds", "helm/sampan/crds-generated")
UNCHANGED: Final = "self.status.phase != oldSelf.status.phase || self.spec == oldSelf.spec"
"""Where rules on changes of a spec need no further look. A write of status keeps the spec and a write of the spec keeps the status, as the
API server sees to: a phase that changes tells the one from the other, and costs a small part of comparing two specs."""
_ONE_OWNER: Final = {"x-kubernetes-map-type": "atomic"}
"""Only the operator writes status, and all of it: to note the owner of each field costs an API server time at every write."""


def crd(kind: Kind) -> Json:
    """Return the CustomResourceDefinition of a kind."""
    singular = kind.name.lower()
    names: Json = {"kind": kind.name, "listKind": f"{kind.name}List", "plural": kind.plural, "singular": singular, "categories": ["sampan"]}
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced" if kind.namespaced else "Cluster", "versions": [_version(kind)]},
    }


def _version(kind: Kind) -> Json:
    version: Json = {"name": VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": _root(kind)}}
    if kind.status is not None:
        version["subresources"] = {"status": {}}
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    version["additionalPrinterColumns"] = [
        {"name": c.name, "type": c.type, "jsonPath": c.path} | ({"priority": c.priority} if c.priority else {}) for c in kind.columns
    ]
    return version


def _root(kind: Kind) -> Json:
    properties: Json = {
        "apiVersion": {"description": f"{GROUP}/{VERSION}.", "type": "string"},
        "kind": {"description": f"{kind.name}.", "type": "string"},
        "metadata": {"type": "object"},  # an API server refuses even a description here
        "spec": structural_schema(kind.spec),
    }
    if kind.status is not None:
        properties["status"] = structural_schema(kind.status) | _ONE_OWNER | ({"default": dict(kind.initial)} if kind.initial else {})
    root: Json = {"description": kind.description, "type": "object", "required": ["spec"], "properties": properties}
    if kind.rules:
        root["x-kubernetes-validations"] = validations(kind.rules, field=kind.rules_about, unless=UNCHANGED)
    return root


class _Plain(yaml.SafeDumper):
    """Never writes anchors: readers of the files, helm among them, should not need to resolve any."""

    def ignore_aliases(self, data: Any) -> bool:
        """Say that every value is written out."""
        return True


def render() -> dict[str, str]:
    """Return the content of each generated file by its name, the same at every call."""
    return {
        f"{GROUP}_{kind.plural}.yaml": HEADER + yaml.dump(crd(kind), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=140)
        for kind in KINDS
    }


def stale(root: Path) -> Changes:
    """Return what would change under the repository root: each file with its new text, or None where it should not be there."""
    wanted = {root / folder / name: text for name, text in render().items() for folder in FOLDERS}
    extra: Changes = {path: None for folder in FOLDERS for path in (root / folder).glob("*.yaml") if path not in wanted}
    return {**differing(wanted), **extra}


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> int:
    """Write or check the files; returns the exit code."""
    return run(stale, arguments, program="sampan.api.crd.generate", root=root)


if __name__ == "__main__":
    raise SystemExit(main())
