"""Kubeconfig Secrets on the hub: watched in the namespaces where a Role lets us, kept only where an offer names them.

Never parses what it holds, never logs it, never reads a Secret of another namespace. A namespace that refuses us hurts no other.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sampan.api.convert.offers import SecretRef
from sampan.kube.errors import Forbidden, KubeError, NotFound
from sampan.kube.objects.meta import Secret
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path
from sampan.kube.transport.wire import Unreadable
from sampan.kube.watch.listing import Collection
from sampan.kube.watch.reflector import EventType, Reflector, Tuning
from sampan.model.members.offer_reasons import OfferReason

log = logging.getLogger(__name__)

RETRY_AFTER = 2.0
"""Seconds after which a read that failed is tried again."""

Name = tuple[str, str]
"""Namespace and name of a Secret."""


class SecretProblem(StrEnum):
    """Why there is no kubeconfig to parse."""

    PENDING = "Pending"
    NOT_FOUND = "NotFound"
    KEY_MISSING = "KeyMissing"
    NOT_READABLE = "NotReadable"

    @property
    def reason(self) -> OfferReason:
        """Return the reason of the Connected condition."""
        return _REASONS[self]

    def message(self, ref: SecretRef) -> str:
        """Return what is wrong and what would be right."""
        return _MESSAGES[self].format(ref=ref)


_REASONS = {
    SecretProblem.PENDING: OfferReason.CONNECTING,
    SecretProblem.NOT_FOUND: OfferReason.SECRET_NOT_FOUND,
    SecretProblem.KEY_MISSING: OfferReason.KEY_MISSING,
    SecretProblem.NOT_READABLE: OfferReason.SECRET_NOT_READABLE,
}
_MESSAGES = {
    SecretProblem.PENDING: "reading Secret {ref.namespace}/{ref.name}",
    SecretProblem.NOT_FOUND: "there is no Secret {ref.namespace}/{ref.name}; spec.kubeconfigSecretRef names it",
    SecretProblem.KEY_MISSING: (
        "Secret {ref.namespace}/{ref.name} has no key {ref.key}; put the kubeconfig there, or name its key in spec.kubeconfigSecretRef.key"
    ),
    SecretProblem.NOT_READABLE: (
        "no Role lets the operator read Secrets of namespace {ref.namespace}: "
        "the platform team adds it to providerNamespaces of the hub chart"
    ),
}


@dataclass(slots=True)
class _Namespace:
    """One watched namespace; also the sink of its reflector."""

    watch: "SecretWatch"
    name: str
    listed: bool = False
    forbidden: bool = False

    def on_replace(self, items: Sequence[Secret], unreadable: Sequence[Unreadable]) -> None:
        """Take the whole namespace. A Secret that could not be decoded counts as missing its key."""
        self.listed, self.forbidden = True, False
        found = {item.metadata.name: item for item in items} | {bad.name: Secret() for bad in unreadable}
        self.watch.on_list(self.name, found)

    def on_event(self, event: EventType, item: Secret) -> None:
        """Take one change."""
        self.watch.on_secret((self.name, item.metadata.name), None if event == "DELETED" else item)

    def on_unreadable(self, event: EventType, item: Unreadable) -> None:
        """Take a change that could not be decoded."""
        self.watch.on_secret((self.name, item.name), None if event == "DELETED" else Secret())


class SecretWatch:
    """The Secrets that offers name. Everything runs on one loop."""

    def __init__(
        self, client: Client, namespaces: Iterable[str], *, changed: Callable[[SecretRef], None], tuning: Tuning | None = None
    ) -> None:
        """`changed` is told of each named key whose content, or whose problem, may have changed; it must not block."""
        self._client, self._changed, self._tuning = client, changed, tuning
        self._namespaces = {name: _Namespace(self, name) for name in namespaces}
        self._wanted: frozenset[SecretRef] = frozenset()
        self._secrets: dict[Name, Secret] = {}
        self._revisions: dict[Name, int] = {}
        self._requested: set[Name] = set()
        self._reads: asyncio.Queue[Name] = asyncio.Queue()

    def set_wanted(self, refs: Iterable[SecretRef]) -> None:
        """Keep exactly these from now on; new ones are read at once."""
        wanted = frozenset(refs)
        names = {(ref.namespace, ref.name) for ref in wanted}
        known = {(ref.namespace, ref.name) for ref in self._wanted}
        self._wanted = wanted
        for name in known - names:
            self._secrets.pop(name, None)
            self._revisions.pop(name, None)
        for name in sorted(names - known):
            self._request_read(name)

    def reload(self, ref: SecretRef) -> None:
        """Read a Secret now: the member refused what it held."""
        if ref in self._wanted:
            self._request_read((ref.namespace, ref.name))

    def read(self, ref: SecretRef) -> bytes | SecretProblem:
        """Return what a key holds, or why there is nothing."""
        namespace = self._namespaces.get(ref.namespace)
        if namespace is None:
            return SecretProblem.NOT_READABLE
        secret = self._secrets.get((ref.namespace, ref.name))
        if secret is None:
            if namespace.forbidden:
                return SecretProblem.NOT_READABLE
            return (
                SecretProblem.NOT_FOUND if namespace.listed and (ref.namespace, ref.name) not in self._requested else SecretProblem.PENDING
            )
        if ref.key not in secret.data:
            return SecretProblem.KEY_MISSING
        try:
            return base64.b64decode(secret.data[ref.key], validate=True)
        except binascii.Error:
            return SecretProblem.KEY_MISSING

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, namespace in self._namespaces.items():
                what = Collection(path=resource_path("v1", "secrets", namespace=name), into=Secret)
                reflector = Reflector(self._client, what, sink=namespace, tuning=self._tuning)
                group.create_task(reflector.run(), name=f"watch secrets/{name}")
            group.create_task(self._read_requested(), name="read secrets")

    # --- what the watches say -------------------------------------------------------------------------------------

    def on_list(self, namespace: str, found: dict[str, Secret]) -> None:
        """Hear a whole namespace."""
        for ref_name in {(ref.namespace, ref.name) for ref in self._wanted if ref.namespace == namespace}:
            self.on_secret(ref_name, found.get(ref_name[1]))

    def on_secret(self, name: Name, secret: Secret | None) -> None:
        """Hear one Secret, None where it is gone; those that nobody names are not kept."""
        refs = [ref for ref in self._wanted if (ref.namespace, ref.name) == name]
        if not refs:
            return
        self._revisions[name] = self._revisions.get(name, 0) + 1
        if secret is None:
            self._secrets.pop(name, None)
        else:
            self._secrets[name] = secret
        self._notify(refs)

    # --- reading one ----------------------------------------------------------------------------------------------

    def _request_read(self, name: Name) -> None:
        if name[0] in self._namespaces and name not in self._requested:
            self._requested.add(name)
            self._reads.put_nowait(name)

    async def _read_requested(self) -> None:
        while True:
            name = await self._reads.get()
            turn = self._revisions.get(name, 0)
            try:
                secret: Secret | None = await self._client.get(resource_path("v1", "secrets", namespace=name[0], name=name[1]), into=Secret)
                self._namespaces[name[0]].forbidden = False
            except NotFound:
                secret = None
            except Forbidden:
                self._namespaces[name[0]].forbidden = True
                secret = None
            except KubeError as error:
                log.warning("secret.read_failed", extra={"secret": "/".join(name), "reason": error.reason})
                asyncio.get_running_loop().call_later(RETRY_AFTER, self._reads.put_nowait, name)
                continue
            self._requested.discard(name)
            if self._revisions.get(name, 0) == turn:  # the watch was not faster
                self.on_secret(name, secret)

    def _notify(self, refs: Iterable[SecretRef]) -> None:
        for ref in sorted(refs):
            self._changed(ref)
