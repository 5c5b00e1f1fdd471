"""The table of our kinds: names, scope, models, columns. A new kind is a model and one entry here. No schema rewriting here."""

from dataclasses import dataclass
from typing import Final

from sampan.api.fields.common import ApiModel, Rule
from sampan.api.kinds import acceleratorclass, computejob
from sampan.api.kinds.acceleratorclass import AcceleratorClassSpec
from sampan.api.kinds.clusteroffer import ClusterOfferSpec
from sampan.api.kinds.clusteroffer_status import ClusterOfferStatus
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.kinds.computejob_status import ComputeJobStatus
from sampan.api.kinds.placementpolicy import PlacementPolicySpec
from sampan.api.kinds.provider import ProviderSpec
from sampan.api.kinds.queue_kind import QueueSpec
from sampan.model.lifecycle import Phase


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`; those of priority 1 show with `-o wide`."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One custom resource."""

    name: str
    plural: str
    description: str
    spec: type[ApiModel]
    status: type[ApiModel] | None = None
    short_names: tuple[str, ...] = ()
    namespaced: bool = False
    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    rules_about: str | None = None
    """Path that errors of `rules` point at."""
    selectable: tuple[str, ...] = ()
    initial: tuple[tuple[str, str], ...] = ()
    """Status of an object that nobody has looked at yet."""


AGE: Final = Column("Age", ".metadata.creationTimestamp", "date")


def _condition(kind: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{field}'


COMPUTE_JOB: Final = Kind(
    name="ComputeJob",
    plural="computejobs",
    short_names=("cpj",),
    namespaced=True,
    description="ComputeJob runs a program on whichever member cluster serves it best: it says what to run and where it may run.",
    spec=ComputeJobSpec,
    status=ComputeJobStatus,
    rules=computejob.OBJECT_RULES,
    rules_about=".spec",
    selectable=(".status.phase",),
    initial=(("phase", Phase.PENDING.value),),
    columns=(
        Column("Phase", ".status.phase"),
        Column("Offer", ".status.binding.offer.name"),
        Column("Pool", ".status.binding.pool"),
        Column("Attempt", ".status.binding.attempt", "integer"),
        Column("Reason", ".status.reason"),
        AGE,
        Column("Class", ".status.binding.acceleratorClass", priority=1),
        Column("Provider-Namespace", ".status.binding.offer.namespace", priority=1),
        Column("Priority", ".spec.priority", "integer", 1),
        Column("Reserved-At", ".status.reservation.offer.name", priority=1),
        Column("Start-At-Latest", ".status.reservation.startAtLatest", priority=1),
        Column("Restarts", ".status.restarts", "integer", 1),
        Column("Remote", ".status.binding.remote.name", priority=1),
        Column("Message", ".status.message", priority=1),
    ),
)

CLUSTER_OFFER: Final = Kind(
    name="ClusterOffer",
    plural="clusteroffers",
    short_names=("offer",),
    namespaced=True,
    description="ClusterOffer is what a provider puts on the table: a member cluster or a part of it, with terms, prices and rules.",
    spec=ClusterOfferSpec,
    status=ClusterOfferStatus,
    columns=(
        Column("Schedulable", _condition("Schedulable", "status")),
        Column("Reason", _condition("Schedulable", "reason")),
        Column("Region", ".spec.region"),
        Column("Terms", ".spec.terms"),
        Column("Accepting", ".spec.accepting", "boolean"),
        AGE,
        Column("Connected", _condition("Connected", "reason"), priority=1),
        Column("Jurisdiction", ".spec.jurisdiction", priority=1),
        Column("Version", ".status.kubernetesVersion", priority=1),
        Column("Cluster", ".status.clusterUID", priority=1),
    ),
)

PROVIDER: Final = Kind(
    name="Provider",
    plural="providers",
    description="Provider grants one provider its namespaces and what the offers from there may claim. Written by the platform team.",
    spec=ProviderSpec,
    columns=(
        Column("Namespaces", ".spec.namespaces"),
        Column("Jurisdictions", ".spec.jurisdictions"),
        Column("Regions", ".spec.regions"),
        Column("Display-Name", ".spec.displayName"),
        AGE,
        Column("Terms", ".spec.terms", priority=1),
    ),
)

ACCELERATOR_CLASS: Final = Kind(
    name="AcceleratorClass",
    plural="acceleratorclasses",
    short_names=("accel",),
    description="AcceleratorClass adds one accelerator model to the built-in catalogue, or corrects it. Written by the platform team.",
    spec=AcceleratorClassSpec,
    rules=acceleratorclass.OBJECT_RULES,
    columns=(
        Column("Vendor", ".spec.vendor"),
        Column("Family", ".spec.family"),
        Column("Stack", ".spec.stack"),
        Column("Memory", ".spec.memory"),
        AGE,
        Column("TFLOPS", ".spec.fp16TFLOPS", priority=1),
        Column("Origin", ".spec.origin", priority=1),
    ),
)

PLACEMENT_POLICY: Final = Kind(
    name="PlacementPolicy",
    plural="placementpolicies",
    description="PlacementPolicy says how offers are scored for the jobs that name it. Written by the platform team.",
    spec=PlacementPolicySpec,
    columns=(
        Column("Cost", ".spec.weights.cost", "integer"),
        Column("Packing", ".spec.weights.packing", "integer"),
        Column("Performance", ".spec.weights.performance", "integer"),
        Column("Domestic", ".spec.weights.domestic", "integer"),
        Column("Green", ".spec.weights.green", "integer"),
        AGE,
        Column("Reference-Price", ".spec.references.pricePerDeviceHour", priority=1),
    ),
)

QUEUE: Final = Kind(
    name="Queue",
    plural="queues",
    description="Queue says which namespaces share turns, with what weight and within what limits. Written by the platform team.",
    spec=QueueSpec,
    columns=(
        Column("Namespaces", ".spec.namespaces"),
        Column("Weight", ".spec.weight"),
        Column("Parent", ".spec.parent"),
        Column("Highest-Priority", ".spec.highestPriority", "integer"),
        AGE,
        Column("Policies", ".spec.policies", priority=1),
        Column("Default-Run", ".spec.defaultRunSeconds", "integer", 1),
    ),
)

KINDS: Final = (COMPUTE_JOB, CLUSTER_OFFER, PROVIDER, ACCELERATOR_CLASS, PLACEMENT_POLICY, QUEUE)
