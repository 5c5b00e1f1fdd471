"""What a scrape shows of offers, queues and tenants: as statuses and counts say, with a bound on series, and nothing of what is gone."""

from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry, generate_latest

import builders as b
from jobs import NOW, OFFER, binding, body, bound_status
from sampan.controller import samples as s
from sampan.controller.events.recorder import EventResult
from sampan.controller.runtime import metrics as m
from sampan.controller.state.store import State
from sampan.controller.tallies.job_tallies import JobTallies
from sampan.model.lifecycle import Outcome
from sampan.model.members.offer import Offer, OfferKey
from sampan.model.queues import Queue
from sampan.model.status.attempt import Ending
from sampan.model.status.job_status import JobStatus
from sampan.model.status.reasons import AttemptReason
from sampan.model.values.distribution import SECONDS_OF_CALLS, Distribution
from sampan.model.values.timestamp import to_rfc3339
from unit.controller.fakes import FakeMemberSource

STATUS: dict[str, Any] = {
    "conditions": [{"type": "Connected", "status": "True"}, {"type": "PermissionsSufficient", "status": "Unknown"}],
    "pools": [{"name": "h100-x8", "acceleratorClass": b.H100, "devices": 16, "free": 10, "reserved": 2}],
}


class Parts:
    """As much of an operator as a scrape reads: real state and counts, fakes of the rest."""

    def __init__(self) -> None:
        self.state, self.tallies = State(FakeMemberSource(), currency="CNY", cooldown=0), JobTallies()
        self.state.table.on_change.append(self.tallies.changed)
        self.known: dict[OfferKey, Offer] = {OFFER: b.offer(OFFER.name, namespace=OFFER.namespace, cluster_uid="c-1")}
        self.statuses = {offer.uid: STATUS for offer in self.known.values()}
        self.links: list[Any] = []
        joined = SimpleNamespace(offers=lambda: self.known, links=lambda: self.links)
        self.offers = SimpleNamespace(joined=joined, registry=SimpleNamespace(statuses=self.statuses))
        done = SimpleNamespace(binds={"Written": 3}, created=2, adopted=0, conflicts=0, errors=0, quarantined=0)
        self.reconciler = SimpleNamespace(counters=done, queue=())
        self.loop = SimpleNamespace(last_refused={}, cycles=1, last_seconds=0.5)
        self.intake = SimpleNamespace(events={}, resync=SimpleNamespace(gaps=0))
        self.usage_writer = SimpleNamespace(unstored=0, folded=0, errors=0)
        lag = SimpleNamespace(seconds=Distribution(SECONDS_OF_CALLS))
        events: Any = type("Events", (), {"__len__": lambda _: 4, "results": {EventResult.WRITTEN: 7}})()
        self.observability = SimpleNamespace(tallies=self.tallies, events=events, lag=lag)

    def scrape(self) -> str:
        """Return what Prometheus is given."""
        registry = CollectorRegistry()
        parts = cast("s.Parts", self)
        registry.register(m.StateCollector(lambda: s.samples_of(parts, kopf_starts=1, calls=m.Calls(), now=NOW)))
        return generate_latest(registry).decode()

    def add(self, uid: str, *, status: JobStatus | None = None, namespace: str = "team-a", queue: str = "", ago: int = 60) -> None:
        """Add a job that was created so many seconds ago."""
        spec = {"queue": queue} if queue else {}
        meta = {"namespace": namespace, "creationTimestamp": to_rfc3339(NOW - ago * 1000)}
        self.state.apply_job(body(uid, spec=spec, status=status, **meta))


def test_an_offers_pools_and_conditions_are_as_its_status_shows_them() -> None:
    text = Parts().scrape()
    labels = f'{{accelerator_class="{b.H100}",offer="prov-a/lingang",pool="h100-x8"}}'
    for name, amount in (("devices", 16), ("devices_free", 10), ("devices_used", 6), ("devices_reserved", 2)):
        assert f"sampan_pool_{name}{labels} {amount}.0" in text
    assert 'sampan_offer_condition{condition="Connected",offer="prov-a/lingang"} 1.0' in text
    assert "PermissionsSufficient" not in text, "nobody knows"
    assert 'cluster_uid="c-1",offer="prov-a/lingang"' in text


def test_an_offer_that_is_gone_has_no_series() -> None:
    parts = Parts()
    parts.add("u1", status=bound_status())
    over = bound_status().attempt_ended(Ending(outcome=Outcome.REJECTED, reason=AttemptReason.REJECTED, ended_at=NOW))
    parts.state.apply_job(body("u1", status=over, resourceVersion="11"))
    assert 'sampan_attempts_total{offer="prov-a/lingang",outcome="Rejected"} 1.0' in parts.scrape()
    parts.known = {}
    assert "prov-a/lingang" not in parts.scrape()


def test_jobs_are_counted_by_queue_and_tenant_with_the_age_of_the_oldest() -> None:
    parts = Parts()
    parts.state.queues.queues = {"research": Queue(name="research", namespaces=("team-b",))}
    parts.add("u1", ago=60)
    parts.add("u2", queue="research", ago=300)
    parts.add("u3", queue="research", namespace="team-b", ago=30)
    parts.add("u4", queue="no-such-queue", ago=10)
    parts.add("u5", status=bound_status(binding(replicas=1)))
    text = parts.scrape()
    for line in (
        'sampan_queue_jobs_waiting{queue="research"} 2.0',
        'sampan_queue_oldest_waiting_seconds{queue="research"} 300.0',
        'sampan_queue_jobs_waiting{queue="unknown"} 1.0',
        'sampan_tenant_jobs_waiting{tenant="team-a"} 3.0',
        'sampan_tenant_oldest_waiting_seconds{tenant="team-a"} 300.0',
        'sampan_tenant_jobs{phase="Bound",tenant="team-a"} 1.0',
    ):
        assert line in text
    for uid in ("u1", "u2", "u3", "u4", "u5"):
        parts.state.remove_job(uid)
    assert "team-a" not in parts.scrape()


def test_tenants_have_series_up_to_a_bound_and_all_others_one() -> None:
    parts = Parts()
    for number in range(s.MAX_TENANTS + 20):
        parts.add(f"u{number}", namespace=f"team-{number}")
    parts.add("one-more", namespace="team-511")
    text = parts.scrape()
    assert text.count("sampan_tenant_jobs_waiting{") == s.MAX_TENANTS + 1
    assert 'sampan_tenant_jobs_waiting{tenant="other"} 20.0' in text
    assert 'sampan_tenant_jobs_waiting{tenant="team-511"} 2.0' in text, "those with most jobs are named"


def test_waits_are_a_histogram_by_queue() -> None:
    parts = Parts()
    parts.add("u1", ago=20)
    parts.state.apply_job(
        body("u1", status=bound_status(binding(bound_at=NOW)), resourceVersion="11", creationTimestamp=to_rfc3339(NOW - 20_000))
    )
    text = parts.scrape()
    assert 'sampan_queue_wait_to_bound_seconds_bucket{le="10.0",queue="default"} 0.0' in text
    assert 'sampan_queue_wait_to_bound_seconds_bucket{le="30.0",queue="default"} 1.0' in text
    assert 'sampan_queue_wait_to_bound_seconds_sum{queue="default"} 20.0' in text


def test_a_member_has_one_distribution_of_its_calls_however_many_links_lead_there() -> None:
    parts = Parts()
    for connected in (True, False):
        spread = Distribution(SECONDS_OF_CALLS)
        spread.add(0.2)
        parts.links.append(SimpleNamespace(cluster_uid="c-1", connected=connected, call_seconds=spread))
    parts.links.append(SimpleNamespace(cluster_uid=None, connected=False, call_seconds=Distribution(SECONDS_OF_CALLS)))
    text = parts.scrape()
    assert 'sampan_member_call_seconds_count{cluster_uid="c-1"} 2.0' in text
    assert 'sampan_member_connected{cluster_uid="c-1"} 1.0' in text


def test_what_became_of_events_is_told() -> None:
    text = Parts().scrape()
    assert 'sampan_events_total{result="written"} 7.0' in text
    assert "sampan_events_queue 4.0" in text
