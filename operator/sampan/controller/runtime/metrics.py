"""Metrics: one table of names and help, and a collector that reads the live state when scraped. Nothing is counted here."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Sample = tuple[tuple[str, ...], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric: its name, help, labels, and what it is now."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    counter: bool = False


JOBS: Final = Family(name="sampan_jobs", help="ComputeJobs by phase.", labels=("phase",))
WAITING: Final = Family(name="sampan_jobs_waiting", help="ComputeJobs that wait for a place.")
REFUSED: Final = Family(name="sampan_jobs_refused", help="Waiting ComputeJobs by dominant reason in the last cycle.", labels=("reason",))
OFFERS: Final = Family(name="sampan_offers", help="ClusterOffers by whether jobs may go there now.", labels=("schedulable",))
MEMBERS: Final = Family(
    name="sampan_member_connected", help="1 where the watches on a member are complete and fresh.", labels=("cluster_uid",)
)
CYCLES: Final = Family(name="sampan_cycles", help="Scheduling cycles since the start.", counter=True)
CYCLE_SECONDS: Final = Family(name="sampan_cycle_last_seconds", help="Duration of the last scheduling cycle.")
BOUND: Final = Family(name="sampan_binds", help="Bindings written since the start.", counter=True)
CREATED: Final = Family(name="sampan_remote_creates", help="Copies created on members since the start.", counter=True)
ADOPTED: Final = Family(
    name="sampan_remote_adoptions", help="Copies found on members that were ours already, since the start.", counter=True
)
CONFLICTS: Final = Family(name="sampan_hub_conflicts", help="Hub writes that lost a compare-and-set, since the start.", counter=True)
ERRORS: Final = Family(name="sampan_job_errors", help="Steps of jobs that failed and are tried again, since the start.", counter=True)
QUARANTINED: Final = Family(name="sampan_jobs_quarantined", help="Times a job raised an unexpected error, since the start.", counter=True)
QUEUE: Final = Family(name="sampan_reconcile_queue", help="Jobs whose copies are worked on or wait for it.")
UNSTORED: Final = Family(name="sampan_usage_unstored", help="Charges of queues that wait to be stored.")
FOLDED: Final = Family(
    name="sampan_usage_folded",
    help="Attempts whose charges are stored as one sum with others, because the store was away for long, since the start.",
    counter=True,
)
STORE_ERRORS: Final = Family(name="sampan_store_errors", help="Transactions of the store that failed, since the start.", counter=True)
KOPF: Final = Family(name="sampan_kopf_starts", help="Starts of Kopf since the operator's start.", counter=True)
EVENTS: Final = Family(name="sampan_hub_events", help="Watch events by kind since the start.", labels=("kind",), counter=True)
GAPS: Final = Family(name="sampan_resync_gaps", help="Deletions that a watch missed, since the start.", counter=True)
CALLS: Final = Family(
    name="sampan_api_calls", help="Calls to API servers since the start.", labels=("target", "verb", "resource", "code"), counter=True
)

FAMILIES: Final = (
    JOBS, WAITING, REFUSED, OFFERS, MEMBERS, CYCLES, CYCLE_SECONDS, BOUND, CREATED, ADOPTED, CONFLICTS, ERRORS, QUARANTINED, QUEUE,
    UNSTORED, FOLDED, STORE_ERRORS, KOPF, EVENTS, GAPS, CALLS,
)  # fmt: skip


class Calls:
    """Counts calls to API servers; given to clients as their observer."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.counts: Counter[tuple[str, str, str, str]] = Counter()

    def observer(self, target: str) -> Callable[[str, str, str, float], None]:
        """Return the observer of one client; `target` is `hub` or `member`."""

        def observe(verb: str, resource: str, code: str, *_seconds: float) -> None:
            self.counts[target, verb, resource, code] += 1

        return observe


class StateCollector(Collector):
    """Reads everything at the moment of a scrape."""

    def __init__(self, read: Callable[[], dict[Family, list[Sample]]]) -> None:
        """`read` gives the samples of each family."""
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield every family of the table."""
        samples = self._read()
        for family in FAMILIES:
            make = CounterMetricFamily if family.counter else GaugeMetricFamily
            metric = make(family.name, family.help, labels=family.labels)
            for labels, value in samples.get(family, []):
                metric.add_metric(labels, value)
            yield metric
