"""The verbs of one API server.

Lives here: get, list, create, patch, delete, review, stream: what each sends and returns.
Must never live here: limits and retries (exchange.py), watching for ever (reflector.py), a path given as a string, what objects mean.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Self, TypeVar

from sampan.kube.access import Access
from sampan.kube.credentials.credential import Credentials
from sampan.kube.errors import BadReply
from sampan.kube.objects.meta import PartialObject, SelfSubjectAccessReview
from sampan.kube.transport.exchange import Call, Exchange, Observe
from sampan.kube.transport.limits import MIB, Limits
from sampan.kube.transport.paths import ResourcePath, resource_path
from sampan.kube.transport.session import Request, Stream, Streaming
from sampan.kube.transport.wire import Page, decode, decode_page, encode
from sampan.kube.websocket import WebSocket

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]
"""Parameters of which a name may come more than once."""
LOG_BUFFER = 64 * 1024
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_METHODS: Mapping[str, str] = {
    "get": "GET",
    "connect": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
_RETRIES: Mapping[str, frozenset[int]] = {
    "GET": frozenset({429, 503}),
    "DELETE": frozenset({429, 503}),
    "PATCH": frozenset({429}),  # after a 503 it may be in: a repeated compare-and-set would lose against itself
}


class PatchType(StrEnum):
    """How a patch is meant."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """What to list. An empty ``resource_version`` is a consistent read; ``limit`` 0: no paging."""

    limit: int = 500
    continue_token: str = ""
    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""

    def params(self) -> dict[str, str]:
        """Query parameters; empty ones are left out."""
        named = {
            "limit": str(self.limit) if self.limit else "",
            "continue": self.continue_token,
            "labelSelector": self.label_selector,
            "fieldSelector": self.field_selector,
            "resourceVersion": "" if self.continue_token else self.resource_version,
        }
        return {key: value for key, value in named.items() if value}


class Client:
    """An API server under one set of credentials at a time. Use as ``async with Client(…) as client``.

    All methods raise KubeError and its kin, and nothing else of the transport. Reads, deletes and patches are repeated within
    their deadline when the server says they were not carried out (429; reads and deletes also on 503 with Retry-After);
    a create never is.
    """

    def __init__(self, credentials: Credentials, *, limits: Limits | None = None, observe: Observe | None = None) -> None:
        """Nothing is opened yet. ``observe`` is told of each HTTP exchange."""
        self.limits = limits or Limits()
        self._exchange = Exchange(credentials, self.limits, observe)

    async def __aenter__(self) -> Self:
        """Open the pool; raises TLSFailure or AddressRefused on credentials that cannot be used."""
        self._exchange.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close all connections."""
        await self._exchange.close()

    @property
    def credentials(self) -> Credentials:
        """Those in use."""
        return self._exchange.credentials

    async def replace_credentials(self, new: Credentials) -> bool:
        """Use ``new`` from the next call on; calls in flight finish, watches reconnect. False if nothing changed.

        Raises TLSFailure or AddressRefused and keeps the old ones where ``new`` cannot be used.
        """
        return await self._exchange.replace_credentials(new)

    async def pause(self, seconds: float) -> bool:
        """Sleep, but wake and return True when the credentials are replaced meanwhile, or on `rouse`."""
        return await self._exchange.pause(seconds)

    def wake(self) -> None:
        """Wake all who pause: the server is known to answer again, so that what they waited for is over."""
        self._exchange.wake()

    async def get(self, path: ResourcePath, *, into: type[T]) -> T:
        """Read one object; ``into`` bytes gives the reply as it is, PartialObject fetches metadata alone."""
        return await self._typed(self._call("get", path, headers=_accept(into)), into)

    async def list_page(self, path: ResourcePath, options: ListOptions, *, into: type[T]) -> Page[T]:
        """One page. Raises TooLarge above the cap: ask for fewer; Gone when the continue token is too old."""
        headers = {"Accept": _METADATA_LIST} if into is PartialObject else {}
        if self.limits.compress:
            headers["Accept-Encoding"] = "gzip"
        call = self._call("list", path, params=options.params(), headers=headers)
        return decode_page(await self._exchange.send(call), into)

    async def create(self, path: ResourcePath, body: object, *, into: type[T]) -> T:
        """Create in a collection. Never repeated: on ``outcome_unknown`` look by name."""
        return await self._typed(self._call("create", path, body=body, headers=_accept(into)), into)

    async def patch(
        self,
        path: ResourcePath,
        body: object,
        *,
        into: type[T],
        content_type: PatchType = PatchType.MERGE,
    ) -> T:
        """Patch. ``metadata.resourceVersion`` in a merge patch makes it compare-and-set."""
        headers = {**_accept(into), "Content-Type": content_type.value}
        return await self._typed(self._call("patch", path, body=body, headers=headers), into)

    async def delete(
        self,
        path: ResourcePath,
        *,
        uid: str | None = None,
        propagation: str = "Foreground",
        resource_version: str | None = None,
        grace: int | None = None,
    ) -> None:
        """Delete one object, with preconditions; ``grace`` in seconds. Success says accepted, not gone."""
        wanted = {"uid": uid, "resourceVersion": resource_version}
        options = _delete_options(propagation, {key: value for key, value in wanted.items() if value is not None}, grace)
        await self._exchange.send(self._call("delete", path, body=options, headers=_accept(PartialObject)))

    async def delete_collection(self, path: ResourcePath, label_selector: str, *, propagation: str = "Foreground") -> None:
        """Delete what the selector matches; ValueError for an empty one, which would match all."""
        if not label_selector.strip() or path.name is not None:
            raise ValueError("delete_collection needs a collection and a label selector")
        body, params = _delete_options(propagation, {}, None), {"labelSelector": label_selector}
        await self._exchange.send(self._call("deletecollection", path, body=body, params=params))

    async def review(self, accesses: Iterable[Access]) -> dict[Access, bool]:
        """Whether the server would allow each to us; asked all at once, within the limits."""
        path = resource_path("authorization.k8s.io/v1", "selfsubjectaccessreviews")
        wanted = tuple(accesses)
        questions = [self.create(path, access.review(), into=SelfSubjectAccessReview) for access in wanted]
        allowed: dict[Access, bool] = {}
        for access, answer in zip(wanted, await asyncio.gather(*questions, return_exceptions=True), strict=True):
            if isinstance(answer, BaseException):
                raise answer
            allowed[access] = answer.status.allowed and not answer.status.denied
        return allowed

    def stream(
        self, path: ResourcePath, params: Mapping[str, str], *, read_timeout: float, metadata_only: bool = False
    ) -> AbstractAsyncContextManager[Stream]:
        """A GET that is read as it comes, a watch: opened within ``limits.timeout``, silent for at most ``read_timeout`` seconds."""
        headers = _accept(PartialObject) if metadata_only else {}
        call = self._call("watch" if "watch" in params else "get", path, params=params, headers=headers)
        return self._exchange.stream(call, Streaming(open_timeout=call.timeout, read_timeout=read_timeout, buffer=MIB))

    def log(self, path: ResourcePath, params: Mapping[str, str], *, read_timeout: float) -> AbstractAsyncContextManager[Stream]:
        """The same of a log: of many at once each waits with ``LOG_BUFFER`` bytes for its reader, and none takes another call's turn."""
        call, follows = self._call("get", path, params=params), params.get("follow") == "true"
        how = Streaming(open_timeout=call.timeout, read_timeout=read_timeout, buffer=LOG_BUFFER, bounded=follows)
        return self._exchange.stream(call, how, aside=True)

    def websocket(self, path: ResourcePath, params: Pairs, protocols: Sequence[str]) -> AbstractAsyncContextManager[WebSocket]:
        """A GET that is upgraded to a WebSocket with one of the subprotocols. New credentials do not end it."""
        return self._exchange.websocket(self._call("connect", path, params=params), protocols, buffer=LOG_BUFFER)

    def _call(
        self,
        verb: str,
        path: ResourcePath,
        *,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        params: Mapping[str, str] | Pairs | None = None,
    ) -> Call:
        if body is not None:
            headers = {"Content-Type": "application/json", **(headers or {})}
        method = _METHODS[verb]
        request = Request(
            method=method,
            path=path.url,
            params=params or {},
            headers=headers or {},
            body=None if body is None else encode(body),
        )
        timeout = self.limits.list_timeout if verb == "list" else self.limits.timeout
        return Call(verb=verb, path=path, request=request, timeout=timeout, retry=_RETRIES.get(method, frozenset()))

    async def _typed(self, call: Call, into: type[T]) -> T:
        data = await self._exchange.send(call)
        try:
            return decode(data, into)
        except BadReply as exc:
            exc.outcome_unknown = call.writes
            raise


def _accept(into: type[object]) -> dict[str, str]:
    """Ask for metadata alone where nothing else would be read."""
    return {"Accept": _METADATA_ONLY} if into is PartialObject else {}


def _delete_options(propagation: str, preconditions: Mapping[str, str], grace: int | None) -> dict[str, object]:
    options: dict[str, object] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
    if preconditions:
        options["preconditions"] = dict(preconditions)
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    return options
