"""What a fake API server is made of besides its state: paths, merge patches, the CRD's pruning, discovery, TLS. No state, no assertions."""

import json
import ssl
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from places import ROOT
from unit.kube.certs import authority, issue

Body = dict[str, Any]
CRDS = ROOT / "crds"


@dataclass(frozen=True, slots=True)
class Where:
    """A path, taken apart."""

    collection: str
    """Group, version and plural: `batch/v1/jobs`, `v1/pods`."""
    namespace: str
    name: str
    subresource: str

    @classmethod
    def of(cls, path: str) -> "Where":
        parts = path.strip("/").split("/")
        prefix, rest = ("v1", parts[2:]) if parts[0] == "api" else ("/".join(parts[1:3]), parts[3:])
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        rest = [*rest, "", ""]
        return cls(f"{prefix}/{rest[0]}", namespace, rest[1], rest[2])


def line(event: Body) -> bytes:
    return json.dumps(event).encode() + b"\n"


def merged(old: Body, patch: Body) -> Body:
    """RFC 7386."""
    new = dict(old)
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        elif isinstance(value, dict):
            before = new.get(key)
            new[key] = merged(before if isinstance(before, dict) else {}, value)
        else:
            new[key] = value
    return new


def pruned(schema: Body, value: Any) -> Any:
    """What a real server keeps of a value: fields that the schema does not name are dropped silently."""
    if isinstance(value, dict) and "properties" in schema:
        return {name: pruned(schema["properties"][name], item) for name, item in value.items() if name in schema["properties"]}
    if isinstance(value, list):
        return [pruned(schema["items"], item) for item in value]
    return value


@cache
def job_status_schema() -> Body:
    """The schema of ComputeJob.status as committed."""
    crd = yaml.load((CRDS / "sampan.dev_computejobs.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    found: Body = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    return found


def resources() -> list[Body]:
    """Our kinds as discovery shows them."""
    kinds = {
        "computejobs": ("ComputeJob", True),
        "clusteroffers": ("ClusterOffer", True),
        "providers": ("Provider", False),
        "acceleratorclasses": ("AcceleratorClass", False),
        "placementpolicies": ("PlacementPolicy", False),
        "queues": ("Queue", False),
    }
    verbs = ["get", "list", "watch", "patch", "delete"]
    return [
        {"name": plural, "kind": kind, "singularName": kind.lower(), "namespaced": namespaced, "verbs": verbs}
        for plural, (kind, namespaced) in kinds.items()
    ]


@cache
def tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    pair = issue(authority(), hosts=("127.0.0.1",))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pair.pem")
        file.write_text(pair.cert_pem + pair.key_pem)
        context.load_cert_chain(file)
    return context
