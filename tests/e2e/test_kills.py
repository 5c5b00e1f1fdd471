"""kill -9 of the operator, fifty times, under load: no job is lost, none runs twice, none is left behind."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from e2e.checker import ENDED, Body, Checker, History
from e2e.load import Feeder, Tenant, tenant_of
from integration.support import PATIENCE, FederationUnderTest, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

KILLS, IN_FLIGHT, BETWEEN = 50, 200, 30
"""Kills, least number of jobs in flight at each, least number of kills between an intent and its mirror."""
LONG = 4 * PATIENCE
"""Seconds for what hundreds of jobs have to come to."""


@dataclass(frozen=True)
class Moment:
    """What the hub's API server showed right after a kill, when nobody but the tenant wrote any more."""

    in_flight: int
    """Bound and not ended."""
    intents: frozenset[str]
    """Bound, and nothing mirrored yet: neither counts, nor Running."""


def moment(jobs: list[Body]) -> Moment:
    """Count the jobs in each state."""
    bound = {job["metadata"]["uid"]: s for job in jobs if (s := job.get("status", {})).get("binding") and s["phase"] not in ENDED}
    intents = frozenset(uid for uid, status in bound.items() if status["phase"] == "Bound" and not status.get("remote"))
    return Moment(in_flight=len(bound), intents=intents)


def verdict(moments: list[Moment]) -> tuple[int, int]:
    """Return the fewest jobs in flight at a kill, and how many kills came between an intent of that very process and its mirror."""
    before = [frozenset[str](), *(m.intents for m in moments)]
    return min(m.in_flight for m in moments), sum(bool(m.intents - earlier) for m, earlier in zip(moments, before, strict=False))


@pytest.fixture
def tenant(federation: FederationUnderTest) -> Iterator[Tenant]:
    """The tenant; its jobs are gone afterwards, and the operator runs."""
    with tenant_of(federation) as tenant:
        yield tenant


def kill(federation: FederationUnderTest, history: History, tenant: Tenant, *, chance: random.Random) -> None:
    """Start the operator and kill it -9: four times in five soon after it wrote a new intent, else at any moment, its start included.

    Never while too few jobs are in flight: after a start many ends are told at once, and new jobs need a moment.
    """
    known = history.bindings_seen
    pid = federation.operator.start()
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0.3, 4))  # the moment of a crash is the chance here, nothing is waited for
        wait_for(lambda: enough(history, tenant), "enough jobs are in flight", seconds=LONG, every=0.1)
    else:
        wait_for(
            lambda: history.bindings_seen > known and enough(history, tenant), f"the operator {pid} binds a job", seconds=LONG, every=0.1
        )
        time.sleep(chance.uniform(0, 0.2))
    federation.operator.kill()


def enough(history: History, tenant: Tenant) -> bool:
    """Tell whether there are clearly more jobs in flight than a kill needs."""
    return history.count(tenant.uids(), "Bound", "Running") >= IN_FLIGHT + 60


@pytest.mark.timeout(7200)
def test_fifty_kills_lose_and_double_nothing(federation: FederationUnderTest, tenant: Tenant) -> None:
    """I1, I3, I4 over fifty kills, at least thirty of them between an intent and its mirror."""
    members = {name: member.client() for name, member in federation.members.items()}
    chance = random.Random(11)
    moments: list[Moment] = []
    with Checker(federation.hub.client(), members, namespace=tenant.namespace) as checker:
        history = checker.history
        with Feeder(tenant, history, prefix="kill", level=IN_FLIGHT + 200, seconds=(30, 90)) as feeder:
            for _ in range(KILLS):
                kill(federation, history, tenant, chance=chance)
                moments.append(moment(tenant.jobs()))
        federation.operator.start()
        accepted_uids = tenant.uids()
        wait_for(
            lambda: history.count(accepted_uids, "Succeeded") == len(accepted_uids), "every job has succeeded", seconds=LONG, every=0.5
        )
        fewest, between = verdict(moments)
        print(f"{len(accepted_uids)} jobs, at least {fewest} in flight, {between} of {KILLS} kills between intent and mirror")  # noqa: T201
        assert not feeder.problems
        assert not history.violations(accepted_uids)
        assert not history.not_exactly_once(accepted_uids)
        if fewest < IN_FLIGHT or between < BETWEEN:
            pytest.fail(f"void: {fewest} jobs in flight at a kill, {between} of {KILLS} kills between intent and mirror")
