"""A hub in memory for the verbs, and ComputeJobs and ClusterOffers with good defaults. No server, no file, no assertion."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kubernetes.client.exceptions import ApiException

from sampan.client.access.events import Events
from sampan.client.access.hub import Object
from sampan.client.access.sockets import Socket, StreamRequest

CREATED = "2026-03-01T12:00:00Z"
OFFER = {"namespace": "prov-a", "name": "lingang"}
BOUND = {
    "offer": OFFER,
    "clusterUID": "uid-a",
    "attempt": 1,
    "pool": "h100-x8",
    "acceleratorClass": "nvidia-h100-sxm-80gb",
    "alternative": 0,
    "boundAt": "2026-03-01T12:00:02Z",
}


def a_job(name: str = "train", *, namespace: str = "team-a", status: Object | None = None, spec: Object | None = None) -> Object:
    """A job of one replica with two CUDA devices."""
    return {
        "apiVersion": "sampan.dev/v1alpha1",
        "kind": "ComputeJob",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "resourceVersion": "1",
            "creationTimestamp": CREATED,
        },
        "spec": spec or {"template": {"image": "x"}, "alternatives": [{"accelerator": {"stack": "cuda", "count": 2}}]},
        **({"status": status} if status else {}),
    }


def an_offer(name: str = "lingang", *, pools: list[Object] | None = None, conditions: list[Object] | None = None) -> Object:
    """An offer whose conditions are all True unless told otherwise."""
    good = [{"type": kind, "status": "True", "reason": "Ok"} for kind in ("Approved", "Connected", "PermissionsSufficient", "Schedulable")]
    return {
        "metadata": {"name": name, "namespace": "prov-a", "uid": f"uid-{name}"},
        "spec": {"region": "cn-east", "jurisdiction": "CN", "terms": "OnDemand"},
        "status": {"pools": pools or [], "conditions": good if conditions is None else conditions},
    }


def a_pool(name: str = "h100-x8", **changes: Any) -> Object:
    """Four nodes of eight H100, a quarter of them in use."""
    return {
        "name": name,
        "acceleratorClass": "nvidia-h100-sxm-80gb",
        "vendor": "nvidia",
        "domestic": False,
        "resourceName": "nvidia.com/gpu",
        "architecture": "amd64",
        "nodes": 4,
        "devices": 32,
        "free": 24,
        "largestGang": {"perReplica": 8, "replicas": 3},
        "memoryPerDevice": "80Gi",
        **changes,
    }


def api_error(status: int, message: str = "no", *, kind: str = "") -> ApiException:
    """What the official client raises for a Status answer."""
    error = ApiException(status=status, reason="Reason")
    error.body = json.dumps({"kind": "Status", "message": message, "details": {"kind": kind}})
    return error


class FakeEvents:
    """`Events` that nobody waits for inside."""

    def __init__(self, items: Iterator[Object]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Object]:
        return self._items

    def close(self) -> None:
        """Nothing to end."""


class FakeApi:
    """`HubApi` in memory: objects by plural, a script of watch events, refusals by job name."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Object]] = {"computejobs": [], "clusteroffers": []}
        self.events: list[Object | Exception | Callable[[], None]] = []
        self.refusals: dict[str, list[Exception]] = {}
        self.missing: set[str] = set()
        self.created: list[Object] = []
        self.lists = 0
        self.deleted: list[tuple[str, str]] = []
        self.output: list[list[bytes | Exception]] = []
        self.read: list[tuple[str, str, Object]] = []
        self.streams: list[Socket] = []
        self.opened: list[tuple[str, str, str, list[tuple[str, str]]]] = []
        self.stream_refusal: Exception | None = None
        self.answer: Object | Exception = {}
        self.asked: list[tuple[str, Object]] = []
        self.list_error: Exception | None = None
        self.everywhere_error: Exception | None = None
        self._lock = threading.Lock()

    def list(self, plural: str, namespace: str | None) -> Object:
        """The objects of one namespace, or all."""
        self.lists += 1
        if self.list_error:
            raise self.list_error
        if self.everywhere_error and namespace is None:
            raise self.everywhere_error
        items = [item for item in self.objects[plural] if namespace in (None, item["metadata"]["namespace"])]
        return {"metadata": {"resourceVersion": "10"}, "items": items}

    def create(self, plural: str, namespace: str, body: Mapping[str, Any]) -> Object:
        """Store the object, or raise the next refusal scripted for its name."""
        name = body["metadata"].get("name") or body["metadata"]["generateName"] + "x7k2p"
        with self._lock:
            if self.refusals.get(name):
                raise self.refusals[name].pop(0)
            made = a_job(name, namespace=namespace, spec=body["spec"])
            self.objects[plural].append(made)
            self.created.append(made)
        return made

    def get(self, plural: str, namespace: str, name: str) -> Object:
        """The object of that name, or 404."""
        found: list[Object] = [item for item in self.list(plural, namespace)["items"] if item["metadata"]["name"] == name]
        if not found:
            raise api_error(404, f'{plural}.sampan.dev "{name}" not found', kind=plural)
        return found[0]

    def delete(self, plural: str, namespace: str, name: str, *, uid: str) -> None:
        """Drop the object, or raise what is scripted for its name; remembers it."""
        if self.refusals.get(name):
            raise self.refusals[name].pop(0)
        if any(item["metadata"]["name"] == name and item["metadata"]["uid"] != uid for item in self.objects[plural]):
            raise api_error(409, f"the UID in the precondition ({uid}) does not match", kind=plural)
        self.deleted.append((namespace, name))
        self.objects[plural] = [item for item in self.objects[plural] if item["metadata"]["name"] != name]

    def watch(self, plural: str, namespace: str | None, *, resource_version: str, seconds: int) -> Events:
        """The scripted events, once; an exception among them is raised, a function called."""
        return FakeEvents(self._scripted())

    def _scripted(self) -> Iterator[Object]:
        while self.events:
            event = self.events.pop(0)
            if isinstance(event, Exception):
                raise event
            if callable(event):
                event()
            else:
                yield event
        threading.Event().wait(0.01)

    def explanation(self, namespace: str, name: str) -> Object:
        """The scripted answer; remembers the question."""
        return self._answer(namespace, {"name": name})

    def quote(self, namespace: str, body: Mapping[str, Any]) -> Object:
        """The scripted answer; remembers the question."""
        return self._answer(namespace, dict(body))

    def log(self, namespace: str, name: str, params: Mapping[str, str]) -> Iterator[bytes]:
        """The next scripted output, an exception in it raised; remembers what was asked."""
        self.read.append((namespace, name, dict(params)))
        for piece in self.output.pop(0):
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def check_stream(self, wanted: StreamRequest) -> None:
        """Raise the scripted refusal, if there is one."""
        if self.stream_refusal is not None:
            raise self.stream_refusal

    @contextmanager
    def stream(self, wanted: StreamRequest) -> Iterator[Socket]:
        """The next scripted stream; remembers what was asked."""
        self.check_stream(wanted)
        self.opened.append((wanted.namespace, wanted.name, wanted.kind, list(wanted.params)))
        yield self.streams.pop(0)

    def _answer(self, namespace: str, question: Object) -> Object:
        self.asked.append((namespace, question))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def namespace_missing(self, name: str) -> bool:
        """Tell whether the test has declared it missing."""
        return name in self.missing


def modified(job: Object, *, version: int = 11) -> Object:
    """A MODIFIED watch event of this object."""
    changed = {**job, "metadata": {**job["metadata"], "resourceVersion": str(version)}}
    return {"type": "MODIFIED", "object": changed}
