"""Metrics: one table of names and help, and a collector that reads the live state when scraped. Nothing is counted here."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sampan.model.values.distribution import SECONDS_OF_CALLS, Distribution

Sample = tuple[tuple[str, ...], float | Distribution]


class Kind(StrEnum):
    """Types of metrics, as Prometheus has them."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric: its name, help, labels, and what it is now."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Kind = Kind.GAUGE


JOBS: Final = Family(name="sampan_jobs", help="ComputeJobs by phase.", labels=("phase",))
WAITING: Final = Family(name="sampan_jobs_waiting", help="ComputeJobs that wait for a place.")
REFUSED: Final = Family(name="sampan_jobs_refused", help="Waiting ComputeJobs by dominant reason in the last cycle.", labels=("reason",))
OFFERS: Final = Family(name="sampan_offers", help="ClusterOffers by whether jobs may go there now.", labels=("schedulable",))
MEMBERS: Final = Family(
    name="sampan_member_connected", help="1 where the watches on a member are complete and fresh.", labels=("cluster_uid",)
)
CYCLES: Final = Family(name="sampan_cycles", help="Scheduling cycles since the start.", kind=Kind.COUNTER)
CYCLE_SECONDS: Final = Family(name="sampan_cycle_last_seconds", help="Duration of the last scheduling cycle.")
BINDS: Final = Family(
    name="sampan_binds",
    help="Plans of the scheduler by what became of their binding, since the start: Written, Conflict (the job was changed meanwhile), "
    "Dropped (it does not wait any more, or what travels with it is missing), Failed (the hub did not take it).",
    labels=("result",),
    kind=Kind.COUNTER,
)
ATTEMPTS: Final = Family(
    name="sampan_attempts",
    help="Attempts that ended by the offer they ran at and their outcome, since the start.",
    labels=("offer", "outcome"),
    kind=Kind.COUNTER,
)
CREATED: Final = Family(name="sampan_remote_creates", help="Copies created on members since the start.", kind=Kind.COUNTER)
ADOPTED: Final = Family(
    name="sampan_remote_adoptions", help="Copies found on members that were ours already, since the start.", kind=Kind.COUNTER
)
CONFLICTS: Final = Family(name="sampan_hub_conflicts", help="Hub writes that lost a compare-and-set, since the start.", kind=Kind.COUNTER)
ERRORS: Final = Family(name="sampan_job_errors", help="Steps of jobs that failed and are tried again, since the start.", kind=Kind.COUNTER)
QUARANTINED: Final = Family(
    name="sampan_jobs_quarantined", help="Times a job raised an unexpected error, since the start.", kind=Kind.COUNTER
)
QUEUE: Final = Family(name="sampan_reconcile_queue", help="Jobs whose copies are worked on or wait for it.")
UNSTORED: Final = Family(name="sampan_usage_unstored", help="Charges of queues that wait to be stored.")
FOLDED: Final = Family(
    name="sampan_usage_folded",
    help="Attempts whose charges are stored as one sum with others, because the store was away for long, since the start.",
    kind=Kind.COUNTER,
)
STORE_ERRORS: Final = Family(name="sampan_store_errors", help="Transactions of the store that failed, since the start.", kind=Kind.COUNTER)
KOPF: Final = Family(name="sampan_kopf_starts", help="Starts of Kopf since the operator's start.", kind=Kind.COUNTER)
EVENTS: Final = Family(name="sampan_hub_events", help="Watch events by kind since the start.", labels=("kind",), kind=Kind.COUNTER)
GAPS: Final = Family(name="sampan_resync_gaps", help="Deletions that a watch missed, since the start.", kind=Kind.COUNTER)
CALLS: Final = Family(
    name="sampan_api_calls", help="Calls to API servers since the start.", labels=("target", "verb", "resource", "code"), kind=Kind.COUNTER
)

HUB_CALLS: Final = Family(
    name="sampan_hub_call_seconds",
    help="How long calls to the hub's API server took, since the start.",
    labels=("verb",),
    kind=Kind.HISTOGRAM,
)
MEMBER_CALLS: Final = Family(
    name="sampan_member_call_seconds",
    help="How long calls to a member's API server took, since its link was made; sampan_offer_info tells which offers lead there.",
    labels=("cluster_uid",),
    kind=Kind.HISTOGRAM,
)
LOOP_LAG: Final = Family(
    name="sampan_loop_lag_seconds",
    help="How late the operator's event loop came to what was due, twice a second, since the start.",
    kind=Kind.HISTOGRAM,
)
TOLD: Final = Family(
    name="sampan_events",
    help="Kubernetes Events on jobs and offers by what became of them, since the start: written, merged (one more of the same), "
    "limited (too many about one object), dropped (the hub is too slow for them), failed.",
    labels=("result",),
    kind=Kind.COUNTER,
)
TOLD_QUEUE: Final = Family(name="sampan_events_queue", help="Kubernetes Events that wait to be written.")

# By offer: as its status shows it. A series goes with its offer.
OFFER_INFO: Final = Family(
    name="sampan_offer_info",
    help="1 for each offer, with its member and what is granted of it.",
    labels=("offer", "provider", "region", "terms", "cluster_uid"),
)
OFFER_CONDITION: Final = Family(
    name="sampan_offer_condition",
    help="1 where a condition of an offer is True, 0 where it is False, and nothing where that is unknown.",
    labels=("offer", "condition"),
)
DEVICES: Final = Family(
    name="sampan_pool_devices",
    help="Devices of a pool, as the status of its offer shows them.",
    labels=("offer", "pool", "accelerator_class"),
)
DEVICES_FREE: Final = Family(
    name="sampan_pool_devices_free", help="Devices of a pool that nothing uses.", labels=("offer", "pool", "accelerator_class")
)
DEVICES_USED: Final = Family(
    name="sampan_pool_devices_used",
    help="Devices of a pool that are in use, whoever uses them.",
    labels=("offer", "pool", "accelerator_class"),
)
DEVICES_RESERVED: Final = Family(
    name="sampan_pool_devices_reserved", help="Devices of a pool kept for jobs that wait.", labels=("offer", "pool", "accelerator_class")
)

# By queue and by tenant, which is the namespace of the jobs. A series goes with the last job that has not ended.
QUEUE_WAITING: Final = Family(name="sampan_queue_jobs_waiting", help="Jobs of a queue that wait for a place.", labels=("queue",))
QUEUE_OLDEST: Final = Family(
    name="sampan_queue_oldest_waiting_seconds", help="How long ago the oldest job of a queue was created that waits.", labels=("queue",)
)
QUEUE_DEVICES: Final = Family(
    name="sampan_queue_devices_used", help="Devices that open attempts of a queue's jobs have.", labels=("queue",)
)
WAIT_TO_BOUND: Final = Family(
    name="sampan_queue_wait_to_bound_seconds",
    help="How long jobs of a queue waited from when they could be placed until they were bound, since the start.",
    labels=("queue",),
    kind=Kind.HISTOGRAM,
)
WAIT_TO_RUNNING: Final = Family(
    name="sampan_queue_wait_to_running_seconds",
    help="How long jobs of a queue waited from when they could be placed until they ran, since the start.",
    labels=("queue",),
    kind=Kind.HISTOGRAM,
)
TENANT_JOBS: Final = Family(name="sampan_tenant_jobs", help="Jobs of a tenant that have not ended, by phase.", labels=("tenant", "phase"))
TENANT_WAITING: Final = Family(name="sampan_tenant_jobs_waiting", help="Jobs of a tenant that wait for a place.", labels=("tenant",))
TENANT_OLDEST: Final = Family(
    name="sampan_tenant_oldest_waiting_seconds", help="How long ago the oldest job of a tenant was created that waits.", labels=("tenant",)
)
TENANT_DEVICES: Final = Family(
    name="sampan_tenant_devices_used", help="Devices that open attempts of a tenant's jobs have.", labels=("tenant",)
)
STALLED: Final = Family(
    name="sampan_jobs_stalled", help="Jobs that something keeps from going on as they should, by the reason.", labels=("reason",)
)

FAMILIES: Final = (
    JOBS, WAITING, REFUSED, OFFERS, MEMBERS, CYCLES, CYCLE_SECONDS, BINDS, ATTEMPTS, CREATED, ADOPTED, CONFLICTS, ERRORS, QUARANTINED,
    QUEUE, UNSTORED, FOLDED, STORE_ERRORS, KOPF, EVENTS, GAPS, CALLS, HUB_CALLS, MEMBER_CALLS, LOOP_LAG, TOLD, TOLD_QUEUE,
    OFFER_INFO, OFFER_CONDITION, DEVICES, DEVICES_FREE, DEVICES_USED, DEVICES_RESERVED,
    QUEUE_WAITING, QUEUE_OLDEST, QUEUE_DEVICES, WAIT_TO_BOUND, WAIT_TO_RUNNING,
    TENANT_JOBS, TENANT_WAITING, TENANT_OLDEST, TENANT_DEVICES, STALLED,
)  # fmt: skip


HUB: Final = "hub"
WATCH: Final = "watch"


class Calls:
    """Counts calls to API servers; given to clients as their observer."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.counts: Counter[tuple[str, str, str, str]] = Counter()
        self.hub_seconds: dict[str, Distribution] = {}
        """Of calls to the hub, by verb; how long a watch lives says nothing."""

    def observer(self, target: str) -> Callable[[str, str, str, float], None]:
        """Return the observer of one client; `target` is HUB or `member`."""
        return lambda verb, resource, code, seconds: self._note((target, verb, resource, code), seconds)

    def _note(self, call: tuple[str, str, str, str], seconds: float) -> None:
        self.counts[call] += 1
        target, verb, *_ = call
        if target == HUB and verb != WATCH:
            self.hub_seconds.setdefault(verb, Distribution(SECONDS_OF_CALLS)).add(seconds)


class StateCollector(Collector):
    """Reads everything at the moment of a scrape."""

    def __init__(self, read: Callable[[], dict[Family, list[Sample]]]) -> None:
        """`read` gives the samples of each family."""
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield every family of the table."""
        samples = self._read()
        for family in FAMILIES:
            yield _metric(family, samples.get(family, []))


def _metric(family: Family, samples: list[Sample]) -> Metric:
    if family.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for labels, value in samples:
            assert isinstance(value, Distribution)
            buckets = [("+Inf" if bound == inf else str(bound), float(count)) for bound, count in value.cumulative]
            histogram.add_metric(labels, buckets, value.total)
        return histogram
    make = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    metric = make(family.name, family.help, labels=family.labels)
    for labels, value in samples:
        assert not isinstance(value, Distribution)
        metric.add_metric(labels, value)
    return metric
