"""A whole collection, page by page.

Lives here: paging with bounds.
Must never live here: watching, retries.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from sampan.kube.errors import BadReply, TooLarge
from sampan.kube.transport.client import Client, ListOptions
from sampan.kube.transport.paths import ResourcePath
from sampan.kube.transport.wire import Page, Unreadable

T = TypeVar("T")
MAX_PAGES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection(Generic[T]):
    """What to list or watch; ``into`` PartialObject fetches metadata alone. Empty selectors select all."""

    path: ResourcePath
    into: type[T]
    label_selector: str = ""
    field_selector: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much to take: objects a page, objects and bytes of JSON in all."""

    page: int = 500
    max_objects: int = 200_000
    max_bytes: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A consistent picture of a collection at one resourceVersion. ``unreadable`` objects are there, too."""

    items: list[T]
    unreadable: list[Unreadable]
    resource_version: str


async def list_all(client: Client, what: Collection[T], bounds: Bounds) -> Listing[T]:
    """All pages, of one resourceVersion; raises what `pages_of` raises."""
    items: list[T] = []
    unreadable: list[Unreadable] = []
    version = ""
    async for page in pages_of(client, what, bounds):
        items += page.items
        unreadable += page.unreadable
        version = page.resource_version
    return Listing(items, unreadable, version)


async def pages_of(client: Client, what: Collection[T], bounds: Bounds) -> AsyncIterator[Page[T]]:
    """One page after the other, all of one resourceVersion: for whoever need not hold the whole collection.

    Raises Gone when the list took longer than the server keeps its state (begin again), TooLarge beyond ``bounds`` or for a
    single object above the client's cap, and what ``Client.list_page`` raises.
    """
    limit, token, size, objects = bounds.page, "", 0, 0
    for _ in range(MAX_PAGES):
        page = await _page(client, what, limit=limit, token=token)
        if page is None:
            limit = max(1, limit // 4)
            continue
        objects += len(page.items) + len(page.unreadable)
        size += page.size
        if objects > bounds.max_objects or size > bounds.max_bytes:
            raise TooLarge(200, "ListTooLarge", f"more than {bounds.max_objects} objects or {bounds.max_bytes} bytes")
        token = page.continue_token
        if not token and not page.resource_version:
            raise BadReply(200, "NoResourceVersion", "the list has no resourceVersion")
        yield page
        if not token:
            return
    raise BadReply(200, "EndlessList", f"the list has more than {MAX_PAGES} pages")


async def _page(client: Client, what: Collection[T], *, limit: int, token: str) -> Page[T] | None:
    """One page; None if it is too large and fewer objects may be asked for."""
    options = ListOptions(limit=limit, continue_token=token, label_selector=what.label_selector, field_selector=what.field_selector)
    try:
        return await client.list_page(what.path, options, into=what.into)
    except TooLarge:
        if limit > 1:
            return None
        raise
