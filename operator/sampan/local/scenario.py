"""What a federation on one machine consists of, read from a scenario file. Never here: making any of it.

A scenario tells plain Kubernetes facts (labels, capacity, taints) and specs of our own kinds; the hub's API server checks the specs.
"""

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sampan.local.paths import LocalError

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NodeGroup(_Strict):
    """Some equal nodes; `{}` in the name stands for their number, counted from 1."""

    name: str
    count: int = Field(default=1, ge=1, le=10_000)
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    capacity: dict[str, str]
    taints: list[dict[str, str]] = []


_ENTERED: Final = {"exec": True, "attach": True, "portForward": True}
"""`pods` of the member chart: where containers are real, `sampan exec` and its kin have something to enter."""
_REAL = NodeGroup(
    name="real-{}",
    labels={"nvidia.com/gpu.product": "NVIDIA-A10", "nvidia.com/gpu.memory": "23028", "nvidia.com/gpu.count": "2"},
    capacity={"nvidia.com/gpu": "2"},
)
"""What `--real-nodes` adds: two cards that are not there, of a kind that no packaged scenario simulates."""
_HUB_NODE = NodeGroup(name="hub-{}", capacity={})
_PRICE = {
    "id": "a10-2026",
    "resource": {"acceleratorClass": "nvidia-a10-24gb"},
    "per": "DeviceHour",
    "price": "3.20",
    "currency": "CNY",
    "validFrom": "2026-01-01T00:00:00Z",
}


class MemberPlan(_Strict):
    """One member cluster and its nodes."""

    name: Name
    nodes: list[NodeGroup]
    real_nodes: list[NodeGroup] = Field(default=[], alias="realNodes")
    """Nodes with a kubelet and containers. The capacity is that of their devices, which are not there; the rest is this machine's."""
    values: dict[str, Any] = {}
    """The provider's values of the member chart."""
    objects: list[dict[str, Any]] = []
    """Whole objects that the member's own administrator would have made: device classes, resource slices, quotas."""

    @property
    def published(self) -> bool:
        """Whether a publisher tells the member's capacity."""
        return bool(self.values.get("capacity") == "published")


class HubPlan(_Strict):
    """The hub's cluster, which needs no nodes where the operator runs as a process of this machine."""

    real_nodes: list[NodeGroup] = Field(default=[], alias="realNodes")
    """Nodes with a kubelet and containers, as members have them."""


class ProviderPlan(_Strict):
    """One provider: its namespace on the hub and what the platform team grants it."""

    name: Name
    namespace: Name
    spec: dict[str, Any] = {}
    """Spec of the Provider object but for `namespaces`."""


class OfferPlan(_Strict):
    """One offer of a provider for a member."""

    name: Name
    provider: Name
    member: Name
    labels: dict[str, str] = {}
    spec: dict[str, Any]
    """Spec of the ClusterOffer but for `kubeconfigSecretRef`."""


class TenantPlan(_Strict):
    """A namespace of a tenant."""

    namespace: Name


class Named(_Strict):
    """A cluster-scoped object of the platform team."""

    name: Name
    spec: dict[str, Any]


class Scenario(_Strict):
    """Everything that `sampan local up` makes."""

    name: Name
    tenants: list[TenantPlan] = Field(min_length=1)
    members: list[MemberPlan] = Field(min_length=1)
    providers: list[ProviderPlan]
    offers: list[OfferPlan]
    policies: list[Named] = []
    queues: list[Named] = []
    accelerator_classes: list[Named] = Field(default=[], alias="acceleratorClasses")
    hub: HubPlan = HubPlan()
    images: list[str] = []
    """OCI archives, by absolute path, that every real node loads beside its own."""
    bare: bool = False
    """Control planes, nodes and people only: no chart, no operator, no offer. Whoever wants to installs the charts by hand."""

    @model_validator(mode="after")
    def _names_meet(self) -> "Scenario":
        members, providers = {m.name for m in self.members}, {p.name for p in self.providers}
        if "hub" in members or len(members) != len(self.members):
            raise ValueError("members: names must differ from each other and from 'hub'")
        for offer in self.offers:
            if offer.member not in members or offer.provider not in providers:
                raise ValueError(f"offers.{offer.name}: member {offer.member!r} or provider {offer.provider!r} is not in the scenario")
        if relative := [image for image in self.images if not Path(image).is_absolute()]:
            raise ValueError(f"images: {relative[0]!r} is no absolute path")
        return self

    @property
    def has_real_nodes(self) -> bool:
        """Whether the hub or any member has a real node."""
        return bool(self.hub.real_nodes) or any(member.real_nodes for member in self.members)

    def with_hub_node(self) -> "Scenario":
        """The same scenario with a real node of the hub, where it has none."""
        return self if self.hub.real_nodes else self.model_copy(update={"hub": HubPlan(realNodes=[_HUB_NODE])})

    def with_real_nodes(self, count: int) -> "Scenario":
        """The same scenario with `count` real nodes more, dealt out to the members in turn, priced in offers, and open to `sampan exec`."""
        members = []
        for position, member in enumerate(self.members):
            share = len(range(position, count, len(self.members)))
            more = [_REAL.model_copy(update={"count": share})] if share else []
            values = {**member.values, "pods": _ENTERED} if share else member.values
            members.append(member.model_copy(update={"real_nodes": [*member.real_nodes, *more], "values": values}))
        grown = {member.name for member in self.members[:count]}
        offers = [_with_price(offer) if offer.member in grown else offer for offer in self.offers]
        return self.model_copy(update={"members": members, "offers": offers})

    def provider_of(self, offer: OfferPlan) -> ProviderPlan:
        """The offer's provider."""
        return next(provider for provider in self.providers if provider.name == offer.provider)

    def with_members(self, count: int) -> "Scenario":
        """The same scenario with exactly `count` members: the first ones, then all anew under the names `NAME-2`, `NAME-3`, …"""
        if count < 1:
            raise LocalError("--members: at least 1")
        members, offers, providers = [], [], {}
        for position in range(count):
            turn, original = position // len(self.members), self.members[position % len(self.members)]
            tail = f"-{turn + 1}" if turn else ""
            members.append(original.model_copy(update={"name": original.name + tail}))
            for offer in self.offers:
                if offer.member == original.name:
                    change = {"name": offer.name + tail, "member": offer.member + tail, "provider": offer.provider + tail}
                    offers.append(offer.model_copy(update=change))
                    provider = self.provider_of(offer)
                    grown = {"name": provider.name + tail, "namespace": provider.namespace + tail}
                    providers[provider.name + tail] = provider.model_copy(update=grown)
        return self.model_copy(update={"members": members, "offers": offers, "providers": list(providers.values())})


def _with_price(offer: OfferPlan) -> OfferPlan:
    prices = [*offer.spec.get("prices", []), _PRICE]
    return offer.model_copy(update={"spec": {**offer.spec, "prices": prices}})


def packaged() -> list[str]:
    """Names of the scenarios that come with Sampan."""
    folder = resources.files("sampan.local") / "scenarios"
    return sorted(Path(str(item)).stem for item in folder.iterdir() if item.name.endswith(".yaml"))


def load(source: str | Path) -> Scenario:
    """The scenario of that file, or the packaged one of that name. Raises LocalError naming the field that is wrong."""
    path = Path(source)
    if not path.is_file() and str(source) in packaged():
        path = Path(str(resources.files("sampan.local") / "scenarios" / f"{source}.yaml"))
    try:
        return Scenario.model_validate(yaml.safe_load(path.read_text()))
    except OSError as error:
        raise LocalError(f"scenario {source}: {error.strerror}; packaged scenarios are: {', '.join(packaged())}") from error
    except yaml.YAMLError as error:
        raise LocalError(f"scenario {source} is no YAML: {str(error)[:256]}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "scenario"
        raise LocalError(f"scenario {source}: {where}: {first['msg']}") from error
