"""kill -9 of the operator, many times, under load: no job is lost, none runs twice, none is left behind.

What any one run of the tests is short of in number, `make faults` has: fifty kills. The kinds of moments are the same in both.
"""

import itertools
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from e2e.checker import ENDED, Body, Checker, History
from e2e.load import Ender, Feeder, Tenant, tenant_of
from integration.support import PATIENCE, FederationUnderTest, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

KILLS = int(os.environ.get("SAMPAN_KILLS", "15"))
"""How many kills with a load: a few in every run, fifty in `make faults`."""
IN_FLIGHT, BETWEEN = 200, KILLS * 3 // 5
"""Least number of jobs in flight at each, least number of kills between an intent and its mirror."""
DAY = 24 * 3600
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


def between(moments: list[Moment]) -> int:
    """Return how many kills came between an intent of that very process and its mirror."""
    before = [frozenset[str](), *(m.intents for m in moments)]
    return sum(bool(m.intents - earlier) for m, earlier in zip(moments, before, strict=False))


def short_of(moments: list[Moment]) -> str:
    """Say what these kills lack of what was to be tried; empty where it was tried."""
    under_load, in_between = sum(m.in_flight >= IN_FLIGHT for m in moments), between(moments)
    enough_of_it = under_load >= KILLS and in_between >= BETWEEN
    return "" if enough_of_it else f"{under_load} of {KILLS} kills under load, {in_between} of {BETWEEN} between intent and mirror"


@dataclass(frozen=True)
class Plan:
    """When a kill comes: so many seconds after the start, or else after a new intent was seen."""

    after_intent: bool
    seconds: float


def plans(chance: random.Random) -> Iterator[Plan]:
    """Yield moments without end: one in five at any time from the start on, the others soon after an intent.

    Those of a kind come from each part of its time in turn, so that few kills reach all of it as well as many do.
    """
    anytime, soon = drawn(chance, 0.3, 4), drawn(chance, 0, 0.2)
    for number in itertools.count(1):
        after_intent = number % 5 != 3
        yield Plan(after_intent, next(soon if after_intent else anytime))


def drawn(chance: random.Random, low: float, high: float, parts: int = 3) -> Iterator[float]:
    """Yield a number from each part of a range, the parts in any order, again and again."""
    width = (high - low) / parts
    while True:
        yield from (low + (part + chance.random()) * width for part in chance.sample(range(parts), parts))


@pytest.fixture
def tenant(federation: FederationUnderTest) -> Iterator[Tenant]:
    """The tenant; its jobs are gone afterwards, and the operator runs."""
    with tenant_of(federation) as tenant:
        yield tenant


def kill(federation: FederationUnderTest, history: History, tenant: Tenant, *, plan: Plan) -> None:
    """Start the operator and kill it -9 as planned.

    Never while too few jobs are in flight: after a start many ends are told at once, and new jobs need a moment.
    """
    known = history.bindings_seen
    pid = federation.operator.start()
    if plan.after_intent:
        wait_for(
            lambda: history.bindings_seen > known and enough(history, tenant), f"the operator {pid} binds a job", seconds=LONG, every=0.1
        )
        time.sleep(plan.seconds)
    else:
        time.sleep(plan.seconds)  # the moment of a crash is the chance here, nothing is waited for
        wait_for(lambda: enough(history, tenant), "enough jobs are in flight", seconds=LONG, every=0.1)
    federation.operator.kill()


def enough(history: History, tenant: Tenant) -> bool:
    """Tell whether there are clearly more jobs in flight than a kill needs."""
    return history.count(tenant.uids(), "Bound", "Running") >= IN_FLIGHT + 60


@pytest.mark.timeout(7200)
def test_kills_lose_and_double_nothing(federation: FederationUnderTest, tenant: Tenant) -> None:
    """I1, I3, I4 over many kills, most of them between an intent and its mirror. Kills without a load are tried again, not counted."""
    members = {name: member.client() for name, member in federation.members.items()}
    moments: list[Moment] = []
    with Checker(federation.hub.client(), members, namespace=tenant.namespace) as checker:
        history = checker.history
        ender = Ender(members, tenant, history, floor=IN_FLIGHT + 60)
        with Feeder(tenant, history, prefix="kill", level=IN_FLIGHT + 200, seconds=(DAY, DAY)) as feeder, ender:
            for plan in itertools.islice(plans(random.Random(11)), 2 * KILLS):
                kill(federation, history, tenant, plan=plan)
                moments.append(moment(tenant.jobs()))
                if not short_of(moments):
                    break
        federation.operator.start()
        accepted_uids = tenant.uids()

        def all_succeeded() -> bool:
            ender.end(100)
            return history.count(accepted_uids, "Succeeded") == len(accepted_uids)

        wait_for(all_succeeded, "every job has succeeded", seconds=LONG, every=0.5)
        print(f"{len(accepted_uids)} jobs, {len(moments)} kills, {between(moments)} of them between intent and mirror")  # noqa: T201
        assert not feeder.problems + ender.problems
        assert not history.violations(accepted_uids)
        assert not history.not_exactly_once(accepted_uids)
        if short_of(moments):
            pytest.fail(f"void: {short_of(moments)}")
