"""Bytes ↔ typed values.

Lives here: decoding of objects, pages and watch events, with one unreadable object never hiding the others.
Must never live here: network, retries, meaning.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, cast

import msgspec

from sampan.kube.errors import BadReply
from sampan.kube.objects.meta import KubeStruct, ListMeta
from sampan.kube.text import clean_text

T = TypeVar("T")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Identity(KubeStruct, frozen=True, gc=False):
    name: Any = ""
    namespace: Any = ""
    uid: Any = ""
    resource_version: Any = ""


class _Identified(KubeStruct, frozen=True, gc=False):
    metadata: _Identity = _Identity()


class _RawPage(KubeStruct, frozen=True, gc=False):
    metadata: ListMeta = ListMeta()
    items: list[msgspec.Raw] | None = None


class _RawEvent(KubeStruct, frozen=True, gc=False):
    type: str = ""
    object: msgspec.Raw = msgspec.Raw(b"null")


class _TypedPage(KubeStruct, Generic[T], frozen=True, gc=False):
    metadata: ListMeta = ListMeta()
    items: list[T] | None = None


class _TypedEvent(KubeStruct, Generic[T], frozen=True, gc=False):
    type: str
    object: T


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An object that is there but could not be decoded: it is not gone. ``namespace`` and ``name`` are clean text, perhaps empty."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    problem: str  # which field and type; no value

    @property
    def key(self) -> str:
        """``NAMESPACE/NAME`` as ObjectMeta.key."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. ``remaining`` is None where the server does not know; an empty ``continue_token`` ends the list."""

    items: list[T]
    unreadable: list[Unreadable]
    resource_version: str
    continue_token: str
    remaining: int | None
    size: int  # bytes of JSON


def encode(value: object) -> bytes:
    """JSON of plain values and msgspec structs."""
    return msgspec.json.encode(value)


def decode(data: bytes, into: type[T]) -> T:
    """``data`` as ``into`` (bytes: untouched). Raises BadReply, which names field and type and no value."""
    if into is bytes:
        return cast(T, data)
    try:
        return cast(T, _decoder(into).decode(data))
    except _UNREADABLE as exc:
        problem = _problem(exc)
    raise BadReply(200, "UnreadableReply", problem)


def decode_page(data: bytes, into: type[T]) -> Page[T]:
    """A page of a list; raises BadReply if it is no list at all."""
    try:
        page = _page_decoder(into).decode(data)
        items: list[T] = page.items or []
        unreadable: list[Unreadable] = []
    except _UNREADABLE:
        page = decode(data, _RawPage)
        items, unreadable = _one_by_one(page.items or [], into)
    meta = page.metadata
    return Page(items, unreadable, meta.resource_version, meta.continue_, meta.remaining_item_count, len(data))


def decode_event(line: bytes, into: type[T]) -> tuple[str, T | Unreadable | bytes]:
    """A watch line: its type, and its object: typed, Unreadable, or raw bytes for an ERROR. Raises BadReply if it is no event."""
    try:
        event = _event_decoder(into).decode(line)
        if event.type != "ERROR":
            return event.type, event.object
    except _UNREADABLE:
        pass  # the common form does not fit: take it apart below
    raw = decode(line, _RawEvent)
    if raw.type == "ERROR":
        return raw.type, bytes(raw.object)
    return raw.type, _read(bytes(raw.object), into)


def _one_by_one(raws: list[msgspec.Raw], into: type[T]) -> tuple[list[T], list[Unreadable]]:
    items: list[T] = []
    unreadable: list[Unreadable] = []
    for raw in raws:
        item = _read(bytes(raw), into)
        if isinstance(item, Unreadable):
            unreadable.append(item)
        else:
            items.append(item)
    return items, unreadable


def _read(data: bytes, into: type[T]) -> T | Unreadable:
    try:
        return cast(T, _decoder(into).decode(data))
    except _UNREADABLE as exc:
        problem = _problem(exc)
    try:
        identity = _decoder(_Identified).decode(data).metadata
    except _UNREADABLE:
        identity = _Identity()
    return Unreadable(_word(identity.namespace), _word(identity.name), _word(identity.uid), _word(identity.resource_version), problem)


def _word(value: object) -> str:
    return clean_text(value, 253) if isinstance(value, str) else ""


def _problem(exc: Exception) -> str:
    """msgspec names types and places, never values; map keys are shown as ``...``."""
    if isinstance(exc, msgspec.MsgspecError):
        return clean_text(str(exc))
    return "text that is not UTF-8" if isinstance(exc, UnicodeDecodeError) else "nested too deeply"


_decoder: Callable[[Any], msgspec.json.Decoder[Any]] = cache(msgspec.json.Decoder)
_page_decoder: Callable[[Any], msgspec.json.Decoder[Any]] = cache(lambda into: msgspec.json.Decoder(cast(Any, _TypedPage)[into]))
_event_decoder: Callable[[Any], msgspec.json.Decoder[Any]] = cache(lambda into: msgspec.json.Decoder(cast(Any, _TypedEvent)[into]))
