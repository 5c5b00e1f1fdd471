"""Who may open a stream. The hub's API server has checked `get`, for a WebSocket is a GET; here `create` is asked for too.

Whoever may only read must not get a shell, even where a role gives `get` on everything. Kubernetes does the same for pods since 1.35
(feature AuthorizePodWebsocketUpgradeCreatePermission). Never here: whether the front proxy is believed.
"""

from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import unquote

from multidict import MultiMapping

from sampan.controller.streams.options import StreamKind
from sampan.controller.streams.refusal import StreamRefusedError
from sampan.kube.errors import KubeError
from sampan.kube.objects.meta import SelfSubjectAccessReview
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path

GROUP: Final = "query.sampan.dev"
_EXTRA: Final = "x-remote-extra-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom the hub's API server has authenticated. Without the UID: API servers before 1.32 pass on what a client made up."""

    user: str
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


def person(headers: MultiMapping[str]) -> Person:
    """Return who is told of in the headers of a request that was believed to be the front proxy's."""
    extra: dict[str, list[str]] = {}
    for name, value in headers.items():
        if name.lower().startswith(_EXTRA):
            extra.setdefault(unquote(name.lower().removeprefix(_EXTRA)), []).append(value)
    return Person(
        user=headers.get("X-Remote-User", ""),
        groups=tuple(headers.getall("X-Remote-Group", [])),
        extra=tuple((name, tuple(values)) for name, values in sorted(extra.items())),
    )


class Authorizer(Protocol):
    """What the API needs of the hub."""

    async def check(self, who: Person, kind: StreamKind, *, namespace: str, job: str) -> None:
        """Raise StreamRefusedError unless somebody may open such a stream."""


@dataclass(frozen=True, slots=True)
class HubAuthorizer:
    """Asks the hub's API server, for each stream anew."""

    client: Client

    async def check(self, who: Person, kind: StreamKind, *, namespace: str, job: str) -> None:
        """See `Authorizer.check`. Where the hub does not answer, nobody may."""
        attributes = {
            "group": GROUP,
            "resource": "computejobs",
            "subresource": str(kind),
            "verb": "create",
            "namespace": namespace,
            "name": job,
        }
        spec = {"user": who.user, "groups": who.groups, "extra": dict(who.extra), "resourceAttributes": attributes}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        path = resource_path("authorization.k8s.io/v1", "subjectaccessreviews")
        try:
            answer = await self.client.create(path, review, into=SelfSubjectAccessReview)
        except KubeError as error:
            raise StreamRefusedError(503, f"the hub does not say whether you may: {error.reason}; ask again in a while") from error
        if answer.status.denied or not answer.status.allowed:
            right = f"create on computejobs/{kind} of {GROUP}"
            raise StreamRefusedError(403, f'user "{who.user}" lacks {right} in namespace {namespace}: get alone lets nobody in')
