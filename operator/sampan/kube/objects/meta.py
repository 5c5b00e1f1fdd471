"""Typed values of the parts that all API objects share.

Lives here: metadata, lists' metadata, Status, and small kinds that are little more than metadata.
Must never live here: decoding, network, meaning. Unknown fields are skipped, missing ones have harmless defaults; a wrong type
is a decoding error, which makes that one object unreadable.
"""

from typing import Annotated, Protocol

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""A count as Kubernetes has them (int32, not negative)."""


class KubeStruct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Base of what is read: immutable, invisible to the garbage collector, camelCase outside."""


class OwnerReference(KubeStruct, frozen=True, gc=False):
    """An owner of an object."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""


class ObjectMeta(KubeStruct, frozen=True, gc=False):
    """Metadata. Times are RFC 3339 strings as the server wrote them."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: list[str] = []
    owner_references: list[OwnerReference] = []
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None

    @property
    def key(self) -> str:
        """``NAMESPACE/NAME``, or ``NAME`` for cluster-scoped objects."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class HasMeta(Protocol):
    """Anything that carries metadata."""

    @property
    def metadata(self) -> ObjectMeta:
        """The object's metadata."""


class PartialObject(KubeStruct, frozen=True, gc=False):
    """Metadata alone, of any kind; the client asks the server to send no more than that."""

    metadata: ObjectMeta = ObjectMeta()


class ListMeta(KubeStruct, frozen=True, gc=False):
    """Metadata of one page of a list. ``remaining_item_count`` is None where the server does not know it."""

    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")
    remaining_item_count: int | None = None


class StatusCause(KubeStruct, frozen=True, gc=False):
    """One cause of a refusal. Its message echoes values and is therefore not read."""

    field: str = ""
    reason: str = ""


class StatusDetails(KubeStruct, frozen=True, gc=False):
    """Details of a refusal."""

    retry_after_seconds: int = 0
    causes: list[StatusCause] = []


class Status(KubeStruct, frozen=True, gc=False):
    """What the server says of a call that failed."""

    kind: str = ""
    reason: str = ""
    message: str = ""
    code: int = 0
    details: StatusDetails | None = None


class Version(KubeStruct, frozen=True, gc=False):
    """The server's version."""

    git_version: str = ""
    minor: str = ""
    platform: str = ""


class ApiResource(KubeStruct, frozen=True, gc=False):
    """One resource of a group and version."""

    name: str = ""
    kind: str = ""
    namespaced: bool = False
    verbs: list[str] = []


class ApiResourceList(KubeStruct, frozen=True, gc=False):
    """What a group and version serves."""

    group_version: str = ""
    resources: list[ApiResource] = []


class NamespaceStatus(KubeStruct, frozen=True, gc=False):
    """Active or Terminating."""

    phase: str = ""


class Namespace(KubeStruct, frozen=True, gc=False):
    """A namespace."""

    metadata: ObjectMeta = ObjectMeta()
    status: NamespaceStatus = NamespaceStatus()


class Secret(KubeStruct, frozen=True, gc=False):
    """A Secret; ``data`` is base64 as on the wire. It does not show its data."""

    metadata: ObjectMeta = ObjectMeta()
    type: str = ""
    data: dict[str, str] = {}

    def __repr__(self) -> str:
        """Hide the data."""
        return f"Secret({self.metadata.key}, data=***)"


class ConfigMap(KubeStruct, frozen=True, gc=False):
    """A ConfigMap; ``binary_data`` is base64 as on the wire."""

    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, str] = {}
    binary_data: dict[str, str] = {}


class ReviewStatus(KubeStruct, frozen=True, gc=False):
    """The answer to an access review."""

    allowed: bool = False
    denied: bool = False


class ResourceRule(KubeStruct, frozen=True, gc=False):
    """What may be done to resources, as a rules review answers."""

    verbs: list[str] = []
    api_groups: list[str] = []
    resources: list[str] = []
    resource_names: list[str] = []


class RulesStatus(KubeStruct, frozen=True, gc=False):
    """The answer to a rules review; `incomplete`: an authorizer cannot list its rules."""

    resource_rules: list[ResourceRule] = []
    incomplete: bool = False


class SelfSubjectRulesReview(KubeStruct, frozen=True, gc=False):
    """A rules review as answered."""

    status: RulesStatus = RulesStatus()


class SelfSubjectAccessReview(KubeStruct, frozen=True, gc=False):
    """An access review as answered."""

    status: ReviewStatus = ReviewStatus()
