"""The summary of a member's capacity that its publisher writes and a hub reads in place of nodes and pods: form, bounds, transport.

Lives here: the value, and its way into and out of a ConfigMap. The objects inside are those of the API, with the fields that are
read and no others, so that whoever reads them reads them as if they came from the member's API server.
Must never live here: watching, what the objects mean, how old a summary may be.
"""

# ruff: noqa: RUF012  (msgspec copies empty defaults; ruff does not see that KubeStruct is a Struct)

import base64
import binascii
import gzip
import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from sampan.kube.objects.dra import ResourceSlice
from sampan.kube.objects.meta import ConfigMap, Count, KubeStruct
from sampan.kube.objects.quotas import ClusterQueue, ResourceClaim
from sampan.kube.objects.runtime_class import RuntimeClass
from sampan.kube.objects.workloads import Node, Pod

NAME: Final = "sampan-capacity"
"""Name of the ConfigMap in the namespace of the jobs."""
KEY: Final = "summary.json.gz"
SCHEMA: Final = 1
MOST_BYTES: Final = 1_000_000
"""Of the compressed summary: a ConfigMap holds 1 MiB."""
MOST_TEXT: Final = 64 * 2**20
"""Bytes of a summary after decompression."""
MOST_NODES: Final = 10_000
MOST_OTHERS: Final = 100_000
"""Pods, slices, claims, queues and RuntimeClasses, each."""
MOST_INTERVAL: Final = 300
MOST_OF_ONE: Final = 3 * 2**19
"""Bytes of one object: more than etcd takes."""
T = TypeVar("T")
_UNREADABLE: Final = (binascii.Error, zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class BadSummary(ValueError):  # noqa: N818
    """A summary that is not believed, or cannot be written; the message says what is wrong and what would be right."""


class Summary(KubeStruct, frozen=True, gc=False):
    """What a member has and what is taken of it."""

    schema: int = 0
    sequence: int = 0
    """Grows with every writing: the publisher's heartbeat."""
    interval_seconds: Count = 0
    """A summary is written at least so often, changed or not."""
    nodes: list[Node] = []
    pods: list[Pod] = []
    """One for all pods of a node and a hub together, and each that holds known devices; see the publisher's `summarise`."""
    slices: list[ResourceSlice] = []
    claims: list[ResourceClaim] = []
    cluster_queues: list[ClusterQueue] = []
    runtime_classes: list[RuntimeClass] | None = None
    """None: the publisher may not look at them."""


def pack(summary: Summary) -> dict[str, str]:
    """Return the ConfigMap's `binaryData`. Raises BadSummary for what no hub would take."""
    _check(summary)
    packed = gzip.compress(msgspec.json.encode(summary), mtime=0)
    if len(packed) > MOST_BYTES:
        raise BadSummary(
            f"the summary of {len(summary.nodes)} nodes has {len(packed)} bytes, at most {MOST_BYTES} fit into a ConfigMap: "
            "install the member chart with capacity=direct, or label fewer things on the nodes"
        )
    return {KEY: base64.b64encode(packed).decode()}


class _Frame(KubeStruct, frozen=True, gc=False):
    """A summary whose objects are not read yet."""

    schema: int = 0
    sequence: int = 0
    interval_seconds: Count = 0
    nodes: list[msgspec.Raw] = []
    pods: list[msgspec.Raw] = []
    slices: list[msgspec.Raw] = []
    claims: list[msgspec.Raw] = []
    cluster_queues: list[msgspec.Raw] = []
    runtime_classes: list[msgspec.Raw] | None = None


@dataclass(frozen=True, slots=True)
class PackedSummary:
    """A summary that was taken out of its ConfigMap, in bounds, with objects that are not read yet."""

    sequence: int
    interval_seconds: int
    content: bytes
    """Equal for equal objects: a mere heartbeat need not be read."""
    _frame: _Frame

    def summary(self) -> Summary:
        """Return all of it. One object is read at a time, so that a thread that does so lets others run. Raises BadSummary."""
        frame = self._frame
        try:
            summary = Summary(
                schema=frame.schema,
                sequence=frame.sequence,
                interval_seconds=frame.interval_seconds,
                nodes=_read(frame.nodes, Node),
                pods=_read(frame.pods, Pod),
                slices=_read(frame.slices, ResourceSlice),
                claims=_read(frame.claims, ResourceClaim),
                cluster_queues=_read(frame.cluster_queues, ClusterQueue),
                runtime_classes=None if frame.runtime_classes is None else _read(frame.runtime_classes, RuntimeClass),
            )
        except _UNREADABLE as error:
            raise _unreadable(error) from error
        _check(summary)
        return summary


def parse_packed(holder: ConfigMap) -> PackedSummary:
    """Return what a ConfigMap holds. Raises BadSummary where it is missing, unreadable or outside of its bounds."""
    text = holder.binary_data.get(KEY, "")
    if not text:
        raise BadSummary(f"ConfigMap {holder.metadata.key} has no {KEY}: the member's publisher has written nothing yet")
    if len(text) > 2 * MOST_BYTES:
        raise BadSummary(f"{KEY} is larger than {MOST_BYTES} bytes")
    try:
        frame = msgspec.json.decode(_plain(base64.b64decode(text, validate=True)), type=_Frame)
    except _UNREADABLE as error:
        raise _unreadable(error) from error
    _check_head(frame)
    content = hashlib.blake2b(digest_size=16)
    for objects in (frame.nodes, frame.pods, frame.slices, frame.claims, frame.cluster_queues, frame.runtime_classes):
        content.update(b"-;" if objects is None else b"%d;" % len(objects))
        for each in objects or ():
            if len(each) > MOST_OF_ONE:
                raise BadSummary(f"an object in {KEY} has {len(each)} bytes, no API server holds more than {MOST_OF_ONE}")
            content.update(each)
    return PackedSummary(frame.sequence, frame.interval_seconds, content.digest(), frame)


def _read(objects: list[msgspec.Raw], into: type[T]) -> list[T]:
    decoder = msgspec.json.Decoder(into)
    return [decoder.decode(each) for each in objects]


def _unreadable(error: Exception) -> BadSummary:
    return BadSummary(f"{KEY} cannot be read ({type(error).__name__}); a publisher of Sampan writes it")


def _plain(packed: bytes) -> bytes:
    """Return the text, never more than the bound whatever the compressed form promises."""
    unpacking = zlib.decompressobj(wbits=31)
    text = unpacking.decompress(packed, MOST_TEXT)
    if not unpacking.eof:
        raise BadSummary(f"{KEY} is cut off, or larger than {MOST_TEXT} bytes after decompression")
    return text


def _check(summary: Summary) -> None:
    _check_head(summary)
    _check_names("nodes", (node.metadata.name for node in summary.nodes))
    _check_names("pods", (pod.metadata.uid for pod in summary.pods))
    _check_names("slices", (each.metadata.name for each in summary.slices))
    _check_names("claims", (claim.metadata.uid for claim in summary.claims))
    _check_names("clusterQueues", (queue.metadata.name for queue in summary.cluster_queues))
    _check_names("runtimeClasses", (each.metadata.name for each in summary.runtime_classes or ()))


def _check_head(told: Summary | _Frame) -> None:
    if told.schema != SCHEMA:
        raise BadSummary(f"schema is {told.schema}, this hub reads {SCHEMA}: use the same version of Sampan on the hub and the member")
    if told.sequence < 0 or not 1 <= told.interval_seconds <= MOST_INTERVAL:
        raise BadSummary(f"sequence must not be negative and intervalSeconds be 1 to {MOST_INTERVAL}")
    others = (told.pods, told.slices, told.claims, told.cluster_queues, told.runtime_classes or ())
    if len(told.nodes) > MOST_NODES or any(len(each) > MOST_OTHERS for each in others):
        raise BadSummary(f"more than {MOST_NODES} nodes, or {MOST_OTHERS} pods, slices, claims, queues or RuntimeClasses")


def _check_names(field: str, names: Iterable[str]) -> None:
    told = list(names)
    if not all(0 < len(name) <= 512 for name in told) or len(set(told)) != len(told):
        raise BadSummary(f"{field}: each entry needs a name (a UID) of its own, 1 to 512 characters")
