"""ClusterOffer, the provider's side: a member cluster, terms, prices, limits. What the operator found there is in `clusteroffer_status`."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field
from pydantic.config import JsonDict

from sampan.api.fields.common import ApiModel, Rule, as_atomic, as_map
from sampan.api.fields.launch_spec import OfferLaunchSpec
from sampan.api.fields.quantities import Decimal, Share
from sampan.api.fields.scalars import Bool, Country, DisplayText, DnsLabel, DnsSubdomain, Int, Seconds, Timestamp
from sampan.api.fields.selector import LabelSelector
from sampan.catalog.taints import USUAL, TolerationSet
from sampan.model.members.offer import Terms

Currency = Literal["AED", "CHF", "CNY", "EUR", "GBP", "HKD", "JPY", "KRW", "MOP", "SGD", "TWD", "USD"]


class KubeconfigReference(ApiModel):
    """Names a key of a Secret in the offer's namespace that holds the kubeconfig of the member."""

    name: DnsSubdomain = Field(description="Name of a Secret in the offer's namespace.")
    key: Annotated[str, Field(min_length=1, max_length=253, pattern="^[-._a-zA-Z0-9]+$")] = Field(
        "kubeconfig", description="Key of the Secret. Default kubeconfig."
    )
    context: Annotated[str, Field(max_length=253, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        "", description="Context of the kubeconfig that leads to the member. Empty: its current-context."
    )


class Validity(ApiModel):
    """When the offer may be used."""

    RULES: ClassVar = (
        Rule(
            cel="!has(self.from) || !has(self.until) || self.until > self.from",
            message="until must be later than from",
            is_met=lambda v: v.from_ is None or v.until is None or v.until > v.from_,
        ),
    )
    from_: Timestamp | None = Field(None, alias="from", description="First moment, in UTC; absent: from now on.")
    until: Timestamp | None = Field(None, description="Moment from which on no job is bound, in UTC; absent: for ever. Running jobs stay.")


class PoolSpec(ApiModel):
    """Restricts the offer to some nodes, limits their devices, or names their class."""

    node_selector: LabelSelector | None = Field(None, description="Nodes that this entry is about; absent: all of the member.")
    accelerator_class: DnsLabel | None = Field(
        None, description="Class of their devices instead of the detected one; believed only where the Provider trusts it."
    )
    max_devices: Int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Most devices of these nodes that jobs which came by this offer use together. Pods of others do not count.",
    )


class PricedResource(ApiModel):
    """What a price is for."""

    accelerator_class: DnsLabel = Field(description="Accelerator class, such as nvidia-h100-sxm-80gb.")


class PriceEntry(ApiModel):
    """What one device costs from a moment on. An entry never changes and never goes: a new price is a new entry."""

    id: DnsLabel = Field(description="Name of the entry, never used again.")
    resource: PricedResource = Field(description="What the price is for.")
    per: Literal["DeviceHour"] = Field("DeviceHour", description="Unit that the price is for: one device for one hour.")
    price: Decimal = Field(description='Price such as "12.50": with quotes or without, at most six decimal places.')
    currency: Currency = Field(description="ISO 4217 code.")
    valid_from: Timestamp = Field(description="Moment from which on the price holds, in UTC; the latest that has begun is in force.")


class Limits(ApiModel):
    """What one job may take of the offer."""

    max_run_seconds: Seconds | None = Field(
        None, description="Longest run; jobs that may run longer, or declare no limit, are not taken. Absent: any."
    )
    max_devices_per_job: Int | None = Field(None, ge=1, le=1_000_000, description="Most devices of one job; absent: any number.")


class MemberQueueSpec(ApiModel):
    """The member's own queue that jobs enter."""

    kueue: DnsSubdomain = Field(description="Kueue LocalQueue in the member's job namespace; Kueue then decides when a job starts there.")


class EnergySpec(ApiModel):
    """Where the power comes from, as the provider declares it. Scores only with pue, gCO2PerKWh and an asOf of at most three years ago."""

    pue: Decimal | None = Field(None, description='Power usage effectiveness such as "1.25"; one below 1 cannot be, and earns nothing.')
    renewable_share: Share | None = Field(None, description='Renewable share of the power, "0" to "1"; absent: 0.')
    grams_co2_per_kwh: Int | None = Field(
        None, ge=0, le=10_000, alias="gCO2PerKWh", description="Grams of CO2 equivalent per kilowatt-hour of the grid."
    )
    source: DisplayText = Field("", description="Where the figures come from, for people.")
    as_of: Timestamp | None = Field(
        None, description="When the figures held, in UTC. They count for three years from then on; absent: never."
    )


_PRICES_KEPT: JsonDict = {
    "rule": "oldSelf.all(o, self.exists(n, n.id == o.id))",
    "message": "prices are append-only: an entry cannot be removed; add a new one with a later validFrom",
}
_PRICE_FIXED: JsonDict = {
    "rule": "self.resource == oldSelf.resource && self.currency == oldSelf.currency && self.validFrom == oldSelf.validFrom"
    " && dyn(self).price == dyn(oldSelf).price"
    " && (has(self.per) ? self.per : 'DeviceHour') == (has(oldSelf.per) ? oldSelf.per : 'DeviceHour')",
    "message": "prices are append-only: an entry cannot change; add a new one with a later validFrom",
}
_SPOT: Final = sorted(each.key for each in USUAL[TolerationSet.SPOT])
_FIXED: JsonDict = {"rule": "self == oldSelf", "message": "remoteNamespace cannot change; make a new offer"}

_POLICY_FIXED: JsonDict = {"rule": "self == oldSelf", "message": "remoteNamespacePolicy cannot change; make a new offer"}


class RemoteNamespacePolicy(StrEnum):
    """In which namespaces of the member jobs run."""

    SHARED = "Shared"
    PER_TENANT = "PerTenant"


def _on_spot(launch: OfferLaunchSpec) -> bool:
    return TolerationSet.SPOT in launch.toleration_sets or any(each.key in _SPOT for each in launch.tolerations)


class ClusterOfferSpec(ApiModel):
    """What a provider puts on the table: a member cluster or a part of it, at what terms and prices."""

    RULES: ClassVar = (
        Rule(
            cel="!has(oldSelf.prices) || size(oldSelf.prices) == 0 || has(self.prices)",
            message="prices are append-only: an entry cannot be removed; add a new one with a later validFrom",
        ),
        Rule(
            cel=f"self.terms == 'Interruptible' || !has(self.launch) || ((!has(self.launch.tolerationSets) || !('Spot' in "
            f"self.launch.tolerationSets)) && (!has(self.launch.tolerations) || !self.launch.tolerations.exists(t, t.key in {_SPOT})))",
            message="terms must be Interruptible where launch tolerates taints of spot nodes: they may go at any time. "
            "Make another offer of the same member for its other nodes",
            is_met=lambda s: s.terms is Terms.INTERRUPTIBLE or s.launch is None or not _on_spot(s.launch),
        ),
        Rule(
            cel="!has(self.memberQueue) || !has(self.remoteNamespacePolicy) || self.remoteNamespacePolicy != 'PerTenant'",
            message="memberQueue needs remoteNamespacePolicy Shared: its LocalQueue is in remoteNamespace",
            is_met=lambda s: s.member_queue is None or not s.per_tenant,
        ),
    )
    kubeconfig_secret_ref: KubeconfigReference = Field(
        description="Secret of the same namespace with the member's kubeconfig. Offers of one namespace may share it."
    )
    region: DnsLabel = Field(description="Where the member stands, such as cn-east; believed only as far as the Provider grants it.")
    jurisdiction: Country = Field(description="Country whose law applies, as an ISO 3166-1 alpha-2 code; granted by the Provider.")
    terms: Terms = Field(description="OnDemand, Reserved, Interruptible or Trial; granted by the Provider.")
    accepting: Bool = Field(True, description="false: no new jobs; running jobs stay. Default true.")
    validity: Validity | None = Field(None, description="When the offer may be used; absent: always.")
    pools: Annotated[tuple[PoolSpec, ...], as_atomic(64)] = Field(
        (), description="Nodes that are offered, with their limits; the first entry that selects a node counts. Empty: all nodes."
    )
    prices: Annotated[
        tuple[
            Annotated[PriceEntry, Field(json_schema_extra={"x-kubernetes-validations": [_PRICE_FIXED]})],
            ...,
        ],
        as_map("id", 256),
        Field(json_schema_extra={"x-kubernetes-validations": [_PRICES_KEPT]}),
    ] = Field((), description="Prices, append-only: entries are added, never changed or removed.")
    remote_namespace: DnsLabel = Field(
        "sampan-jobs",
        description="Namespace on the member where jobs run; cannot change. Default sampan-jobs.",
        json_schema_extra={"x-kubernetes-validations": [_FIXED]},
    )
    remote_namespace_policy: RemoteNamespacePolicy = Field(
        RemoteNamespacePolicy.SHARED,
        description="Shared: all jobs run in remoteNamespace. PerTenant: those of each namespace of the hub run in one of their own, as "
        "ConfigMap sampan-tenants in remoteNamespace says (tenants of the member chart); a tenant without one is refused. Cannot change. "
        "Default Shared.",
        json_schema_extra={"x-kubernetes-validations": [_POLICY_FIXED]},
    )
    tenants: LabelSelector | None = Field(
        None, description="Namespaces of the hub, by their labels, whose jobs are taken; absent or empty: all. Others do not see the offer."
    )
    limits: Limits | None = Field(None, description="What one job may take; absent: anything.")
    member_queue: MemberQueueSpec | None = Field(None, description="The member's own queue that jobs enter; absent: none.")
    energy: EnergySpec | None = Field(None, description="Where the power comes from; policies may weigh it as green.")
    launch: OfferLaunchSpec | None = Field(None, description="What is added to every pod that this offer runs.")

    @property
    def per_tenant(self) -> bool:
        """Tell whether each tenant has a namespace of its own on the member."""
        return self.remote_namespace_policy is RemoteNamespacePolicy.PER_TENANT
